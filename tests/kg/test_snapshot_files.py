"""The files of a snapshot: they hold what it held, and what is no longer so is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings

import kg.snapshot
from kg.errors import ForeignFileError, FormatVersionError, MissingPartError
from kg.model import Entity, EntityKey
from kg.snapshot import (
    Snapshot,
    build_snapshot,
    load_snapshot,
    save_snapshot,
    verify_snapshot,
)
from kg.vocabulary import Vocabulary
from tests.kg.small_snapshots import graphs, small

files = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)


@files
@given(graphs())
@example(([], []))
def test_a_snapshot_reads_back_as_it_was_written(tmp_path, graph):
    snapshot = build_snapshot(*graph)
    save_snapshot(snapshot, tmp_path / "s")
    loaded = load_snapshot(tmp_path / "s")
    assert loaded.hash == snapshot.hash
    assert loaded.attributes == snapshot.attributes
    assert same_types(loaded, snapshot)
    assert (loaded.names, list(loaded.labels)) == (snapshot.names, list(snapshot.labels))
    for name in ("heads", "relations", "tails", "probabilities", "label_ids", "parents"):
        ours, theirs = getattr(loaded, name), getattr(snapshot, name)
        assert np.array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype


def same_types(left: Snapshot, right: Snapshot) -> bool:
    def flat(snapshot: Snapshot) -> list[str]:
        rows = snapshot.attributes.items()
        return sorted(repr((n, i, value)) for n, row in rows for i, value in row.items())

    return flat(left) == flat(right)


def test_a_snapshot_replaces_another_and_an_interrupt_leaves_neither(tmp_path, monkeypatch):
    before = small()
    save_snapshot(before, tmp_path)
    opened = load_snapshot(tmp_path)
    nothing = before.keeping(np.array([False]))
    save_snapshot(nothing, tmp_path)
    assert load_snapshot(tmp_path).hash == nothing.hash
    assert opened.hash == before.hash
    assert opened.heads.tolist() == before.heads.tolist()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(kg.snapshot, "write_json", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_snapshot(before, tmp_path)
    with pytest.raises(MissingPartError, match="no snapshot"):
        load_snapshot(tmp_path)


def test_a_loaded_snapshot_cannot_be_written(tmp_path):
    save_snapshot(small(), tmp_path)
    with pytest.raises(ValueError, match="read-only"):
        load_snapshot(tmp_path).heads[0] = 1


def test_a_folder_that_is_not_a_snapshot_is_refused(tmp_path):
    with pytest.raises(MissingPartError, match="no snapshot"):
        load_snapshot(tmp_path)
    (tmp_path / "snapshot.json").write_text("hello")
    with pytest.raises(ForeignFileError):
        load_snapshot(tmp_path)
    (tmp_path / "snapshot.json").write_text('{"format": 99}')
    with pytest.raises(FormatVersionError):
        load_snapshot(tmp_path)


@pytest.mark.parametrize(
    "how", ["missing", "text", "pickle", "short", "other", "fields", "names", "types", "float"]
)
def test_a_snapshot_that_was_changed_is_refused(tmp_path, how):
    save_snapshot(small(), tmp_path)
    array, head = tmp_path / "heads.npy", tmp_path / "snapshot.json"
    content = json.loads(head.read_text())
    if how == "missing":
        array.unlink()
    elif how == "text":
        array.write_text("hello")
    elif how == "pickle":
        np.save(array, np.array([object()]), allow_pickle=True)
    elif how == "short":
        array.write_bytes(array.read_bytes()[:-2])
    elif how == "other":
        np.save(array, np.array([0], dtype=np.int32))
    elif how == "float":
        np.save(array, np.load(array).view(np.float32))
    elif how == "fields":
        head.write_text(json.dumps({"format": 2}))
    elif how == "names":
        save_snapshot(replace(small(), names=("x", "y")), tmp_path / "other")
        (tmp_path / "other" / "names.npy").replace(tmp_path / "names.npy")
    else:
        head.write_text(json.dumps(content | {"attributes": [1]}))
    with pytest.raises(ForeignFileError):
        load_snapshot(tmp_path)


def test_a_change_in_the_middle_of_a_large_file_is_found_by_verifying(tmp_path):
    rows = np.arange(50_000, dtype=np.int32)
    entities = [
        Entity(key=EntityKey(f"k{n:05}"), label="Thing", name=f"thing {n}") for n in rows.tolist()
    ]
    large = replace(
        build_snapshot(entities, []), relation_names=Vocabulary(["likes"]), heads=rows, tails=rows,
        relations=np.zeros_like(rows), probabilities=np.ones(len(rows), dtype=np.float32),
    )  # fmt: skip
    save_snapshot(large, tmp_path)
    verify_snapshot(tmp_path)
    tails = np.load(tmp_path / "tails.npy")
    tails[25_000] += 1
    np.save(tmp_path / "tails.npy", tails)
    assert load_snapshot(tmp_path).hash == large.hash
    with pytest.raises(ForeignFileError, match="do not agree"):
        verify_snapshot(tmp_path)
