"""Files that earlier versions wrote are opened by this one."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from kg import ledger_file, snapshot
from kg.ledger import Ledger, ShardResult, run_job
from kg.snapshot import load_snapshot
from tests.golden.formats.make import fill, world

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
