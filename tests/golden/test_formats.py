"""Files that earlier versions wrote are opened by this one."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from kg import ledger_file, snapshot
from kg.ledger import Ledger, ShardResult, run_job
from kg.snapshot import load_snapshot
from linkers.review import Request, Review, journal
from tests.golden.formats.make import fill, review_file, world

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


@pytest.mark.parametrize("number", range(1, journal.FORMAT + 1))
def test_a_review_of_every_format_is_opened_and_goes_on(number, tmp_path):
    path = tmp_path / "log.jsonl"
    shutil.copy(FOLDER / f"review-{number}.jsonl", path)
    store = review_file(tmp_path / "expected.jsonl")
    review, expected = Review(store, path), Review(None, tmp_path / "expected.jsonl")
    assert review.decisions == expected.decisions
    assert review.known == expected.known
    assert [meant for _, meant, _ in review.meanings()] == ["c:PE", None]
    undone = review.decide(Request(kind="undo", undoes=1, who="ada"))
    assert undone.number == 5
    assert [entity.aliases for entity in store.entities()] == [(), ()]
