"""Files that earlier versions wrote are opened by this one."""

import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kg import ledger_file, snapshot, store_folder
from kg.backends import open_store
from kg.engine_command import LauncherConfig
from kg.launcher import stop_store
from kg.ledger import Ledger, ShardResult, run_job
from kg.snapshot import load_snapshot
from kg.store_folder import store_identity
from kg.upkeep.check import check_graph
from linkers.review import Request, Review, journal
from tests.golden.formats.make import fill, review_file, rows, world

FOLDER = Path(__file__).parent / "formats"


@pytest.mark.parametrize("number", range(1, snapshot.FORMAT + 1))
def test_a_snapshot_of_every_format_is_opened(number):
    opened, expected = load_snapshot(FOLDER / f"snapshot-{number}"), world()
    assert list(opened.entities) == list(expected.entities)
    assert opened.attributes == expected.attributes
    assert np.array_equal(opened.tails, expected.tails)
    assert opened.hash == expected.hash


@pytest.mark.parametrize("number", range(1, ledger_file.FORMAT + 1))
def test_a_ledger_of_every_format_is_opened_and_goes_on(number, tmp_path):
    folder = tmp_path / "jobs"
    shutil.copytree(FOLDER / f"ledger-{number}", folder)
    with Ledger(folder / "ledger.sqlite") as ledger:
        job = next(ledger.jobs())
        assert (job.kind, job.parameters, job.state) == ("test", {"why": "golden"}, "paused")
        assert [shard.state for shard in ledger.shards(job.id)] == ["done"] * 3 + ["pending"]
        assert fill(ledger) == job.id, "the same submission is the same job"
        ledger.resume(job.id)
        after = run_job(ledger, job.id, lambda _: ShardResult(output=b"3\n"))
        assert (after.state, after.counts) == ("done", {"rows": 6})
        ledger.write_output(job.id, tmp_path / "all")
    assert (tmp_path / "all").read_bytes() == b"0\n1\n2\n3\n"


def without_claims(decision):
    """Return a decision as older logs keep it: without who wrote a value, or its mention's file."""
    change = decision.change
    bare = [
        tuple(tuple(row and without_file(row) for row in pair) for pair in pairs)
        for pairs in (change.entities, change.edges)
    ]
    return replace(decision, change=replace(change, entities=bare[0], edges=bare[1]))


def without_file(row):
    """Return an entity or an edge with records that say of no file that they go with it."""
    records = tuple(replace(record, derived_from=()) for record in row.provenance)
    return replace(row, claims={}, provenance=records)


@pytest.mark.parametrize("number", range(1, journal.FORMAT + 1))
def test_a_review_of_every_format_is_opened_and_goes_on(number, tmp_path):
    path = tmp_path / "log.jsonl"
    shutil.copy(FOLDER / f"review-{number}.jsonl", path)
    store = review_file(tmp_path / "expected.jsonl")
    review, expected = Review(store, path), Review(None, tmp_path / "expected.jsonl")
    assert [without_claims(one) for one in review.decisions] == [
        without_claims(one) for one in expected.decisions
    ]
    assert review.known == expected.known
    assert [meant for _, meant, _ in review.meanings()] == ["c:PE", None]
    undone = review.decide(Request(kind="undo", undoes=1, who="ada"))
    assert undone.number == 5
    assert [entity.aliases for entity in store.entities()] == [(), ()]


@pytest.mark.parametrize("number", range(1, store_folder.FORMAT))
def test_a_store_of_every_past_format_is_raised_and_keeps_all(number, tmp_path):
    with tarfile.open(FOLDER / f"store-{number}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    assert (number > 1) == (store_identity(tmp_path) is not None)
    entities, edges = rows()
    with open_store(tmp_path, launcher=LauncherConfig(heap="256m", idle_timeout_s=5)) as store:
        assert list(store.entities()) == sorted(entities, key=lambda entity: entity.key)
        assert list(store.edges()) == edges
        assert store.version == 2
        assert [fault.kind for fault in check_graph(store)] == ["part-of-no-image"]
        store.delete_entities([entities[2].key])
        assert store.version == 3
        assert store.changes(2).entities == {entities[2].key}
        assert store.changes(1) is None  # what was written before is in no feed
    stop_store(tmp_path)
    mark = json.loads((tmp_path / "store.json").read_text())
    assert mark["format"] == store_folder.FORMAT
    assert store_identity(tmp_path) == mark["identity"]
