"""The archive of the engine's classes: used where it is, never needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg import engine_archive, engine_command
from kg.backends import open_store
from kg.engine_archive import make_archive
from kg.engine_command import LauncherConfig
from kg.errors import StoreUnavailableError
from kg.launcher import attach, stop_store, store_status

OPTION = "-XX:SharedArchiveFile="


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this installation's archive would lie; nothing is there yet."""
    path = tmp_path / "share" / "engine.jsa"
    for module in (engine_command, engine_archive):
        monkeypatch.setattr(module, "archive_path", lambda: path)
    return path


def options(folder: Path, **config: object) -> list[str]:
    command = engine_command.engine_command(folder, LauncherConfig(**config))  # type: ignore[arg-type]
    return [part for part in command if part.startswith(OPTION)]


def test_an_engine_starts_from_the_archive_of_its_own_java_alone(
    archive: Path, tmp_path: Path
) -> None:
    assert options(tmp_path) == []
    archive.parent.mkdir()
    archive.write_bytes(b"")
    assert options(tmp_path) == [f"{OPTION}{archive}"]
    assert options(tmp_path, java=Path("/usr/bin/java")) == []


def test_a_damaged_archive_is_as_none(archive: Path, tmp_path: Path) -> None:
    archive.parent.mkdir()
    archive.write_bytes(b"no archive" * 1_000)
    hold = attach(tmp_path / "graph", LauncherConfig(idle_timeout_s=5, heap="256m"))
    assert store_status(tmp_path / "graph").running
    hold.close()
    stop_store(tmp_path / "graph")


def test_a_place_that_takes_no_file_is_named(archive: Path) -> None:
    archive.parent.write_text("a letter")
    with pytest.raises(StoreUnavailableError, match="cannot be kept") as refusal:
        make_archive()
    assert str(archive.parent) in str(refusal.value)
    assert archive.parent.read_text() == "a letter"


def test_a_java_that_fails_leaves_the_archive_of_before(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.parent.mkdir()
    archive.write_bytes(b"of before")
    monkeypatch.setattr(engine_archive, "_classes_of_a_session", lambda work: work / "missing.txt")
    with pytest.raises(StoreUnavailableError, match="made no archive"):
        make_archive()
    assert [path.name for path in archive.parent.iterdir()] == [archive.name]
    assert archive.read_bytes() == b"of before"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_is_made_is_used_and_can_be_made_anew(archive: Path, tmp_path: Path) -> None:
    for _ in range(2):
        made = make_archive()
        assert made["archive"] == str(archive)
        assert made["megabytes"] > 10
    config = LauncherConfig(java_options=("-Xshare:on",))  # no start without a whole archive
    with open_store(tmp_path / "graph", launcher=config) as store:
        assert list(store.entities()) == []
    stop_store(tmp_path / "graph")
    assert [path.name for path in archive.parent.iterdir()] == [archive.name]
