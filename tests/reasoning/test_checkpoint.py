"""Checkpoints: round trip, binding to a snapshot, refusal of what is not ours."""

import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from kg.errors import (
    CheckpointMismatchError,
    ForeignFileError,
    FormatVersionError,
    MissingPartError,
)
from reasoning.checkpoint import HEAD, load_checkpoint, save_checkpoint

HASH = "a" * 64
OTHER = "b" * 64
TENSORS = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "ids": np.array([3, 1]),
    "one": np.array(2.5),
}


def _save(folder: Path, seed: int = 0) -> str:
    tensors = {**TENSORS, "seed": np.array([seed])}
    return save_checkpoint(folder, tensors, {"seed": seed}, HASH, kind="demo")


def test_round_trip_keeps_values_types_and_metadata(tmp_path: Path) -> None:
    fingerprint = _save(tmp_path)
    found = load_checkpoint(tmp_path, HASH, kind="demo")
    assert found.fingerprint == fingerprint
    assert found.metadata == {"seed": 0}
    for name, array in TENSORS.items():
        assert found.tensors[name].dtype == array.dtype
        assert found.tensors[name].shape == array.shape
        np.testing.assert_array_equal(found.tensors[name], array)


def test_same_content_same_bytes(tmp_path: Path) -> None:
    _save(tmp_path / "one")
    _save(tmp_path / "two")
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_second_save_replaces_the_first_and_leaves_nothing_behind(tmp_path: Path) -> None:
    _save(tmp_path, seed=0)
    _save(tmp_path, seed=1)
    assert load_checkpoint(tmp_path, HASH, kind="demo").metadata == {"seed": 1}
    assert len(list(tmp_path.iterdir())) == 2


def test_another_snapshot_is_an_error_that_names_both(tmp_path: Path) -> None:
    _save(tmp_path)
    with pytest.raises(CheckpointMismatchError) as caught:
        load_checkpoint(tmp_path, OTHER, kind="demo")
    assert (caught.value.trained_on, caught.value.asked_for) == (HASH, OTHER)
    assert HASH[:12] in str(caught.value)
    assert OTHER[:12] in str(caught.value)


def test_no_check_without_a_snapshot(tmp_path: Path) -> None:
    _save(tmp_path)
    assert load_checkpoint(tmp_path, None, kind="demo").snapshot_hash == HASH


def test_an_empty_folder_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="umbra train"):
        load_checkpoint(tmp_path, HASH, kind="demo")


def test_a_kill_between_the_two_writes_leaves_the_old_one(tmp_path: Path) -> None:
    _save(tmp_path, seed=0)
    head = (tmp_path / HEAD).read_bytes()
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    _save(tmp_path, seed=1)
    for name, data in kept.items():  # as if only the new tensors had been written
        (tmp_path / name).write_bytes(data)
    (tmp_path / HEAD).write_bytes(head)
    assert load_checkpoint(tmp_path, HASH, kind="demo").metadata == {"seed": 0}


def _edit_head(folder: Path, **fields: object) -> None:
    path = folder / HEAD
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_another_format_number(tmp_path: Path) -> None:
    _save(tmp_path)
    _edit_head(tmp_path, format=99)
    with pytest.raises(FormatVersionError):
        load_checkpoint(tmp_path, HASH, kind="demo")


def test_another_kind_of_model(tmp_path: Path) -> None:
    _save(tmp_path)
    with pytest.raises(ForeignFileError, match="demo"):
        load_checkpoint(tmp_path, HASH, kind="cone")


@pytest.mark.parametrize(
    "name", ["../secret.safetensors", "model.pt", "/etc/passwd", "gone.safetensors"]
)
def test_a_head_that_names_another_file(tmp_path: Path, name: str) -> None:
    _save(tmp_path)
    _edit_head(tmp_path, tensors=name)
    with pytest.raises(ForeignFileError):
        load_checkpoint(tmp_path, HASH, kind="demo")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"format": 1}', b"\xff\xfe\x00"])
def test_a_head_that_is_not_ours(tmp_path: Path, data: bytes) -> None:
    _save(tmp_path)
    (tmp_path / HEAD).write_bytes(data)
    with pytest.raises((ForeignFileError, FormatVersionError)):
        load_checkpoint(tmp_path, HASH, kind="demo")


def test_damaged_tensors(tmp_path: Path) -> None:
    _save(tmp_path)
    path = next(tmp_path.glob("*.safetensors"))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ForeignFileError, match="hash"):
        load_checkpoint(tmp_path, HASH, kind="demo")


class _Bomb:
    exploded = False

    def __reduce__(self) -> tuple[object, ...]:
        return (setattr, (_Bomb, "exploded", True))


def test_a_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(ForeignFileError, match="pickle"):
        load_checkpoint(tmp_path, HASH, kind="demo")
    _save(tmp_path)
    path = next(tmp_path.glob("*.safetensors"))
    data = pickle.dumps(_Bomb())
    path.write_bytes(data)
    _edit_head(tmp_path, sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(ForeignFileError):
        load_checkpoint(tmp_path, HASH, kind="demo")
    assert not _Bomb.exploded
