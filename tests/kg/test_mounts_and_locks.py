"""Where a store may lie, and that one process alone holds a lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.errors import StoreTransientError, StoreUnavailableError
from kg.file_lock import file_lock
from kg.mounts import file_system_of, refuse_network_mount


def test_network_file_systems_are_refused(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    inside = tmp_path / "a b" / "graph"
    spaced = str(tmp_path / "a b").replace(" ", r"\040")
    mounts.write_text(f"disk / ext4 rw 0 0\nserver:/x {spaced} nfs4 rw 0 0\n")
    assert file_system_of(inside, mounts.read_text()) == "nfs4"
    assert file_system_of(tmp_path / "a bc", mounts.read_text()) == "ext4"
    with pytest.raises(StoreUnavailableError, match="network file system"):
        refuse_network_mount(inside, mounts=mounts)
    refuse_network_mount(tmp_path, mounts=mounts)
    mounts.write_text(f"server:/x {tmp_path} nfs rw 0 0\ndisk {spaced} ext4 rw 0 0\n")
    refuse_network_mount(inside, mounts=mounts)
    refuse_network_mount(inside, mounts=tmp_path / "no such file")


def test_a_lock_has_one_holder_and_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with (
        file_lock(path, timeout_s=1),
        pytest.raises(StoreTransientError),
        file_lock(path, timeout_s=0.05),
    ):
        pass
    with file_lock(path, timeout_s=0.05):
        pass
