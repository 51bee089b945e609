"""A ledger as a file: foreign ones are refused, outputs are checked, it may be opened by many."""

import contextlib
import errno
import os
import sqlite3
import subprocess
import sys

import pytest

from kg.errors import (
    ForeignFileError,
    FormatVersionError,
    JobError,
    MissingPartError,
)
from kg.ledger import Ledger, run_job
from kg.ledger_file import LedgerFile
from tests.kg.ledger_jobs import ROOT, doubled, submit


def test_an_output_that_was_changed_or_deleted_is_not_returned(ledger):
    job = submit(ledger, 1)
    with pytest.raises(MissingPartError, match="no output of shard 0"):
        ledger.output(next(ledger.shards(job.id)))
    run_job(ledger, job.id, doubled)
    shard = next(ledger.shards(job.id))
    path = next(path for path in ledger.outputs.rglob("*") if path.name == shard.sha256)
    path.write_bytes(b"changed")
    with pytest.raises(MissingPartError, match="no output of shard 0"):
        ledger.output(shard)


def test_a_ledger_is_the_same_after_opening_it_again(tmp_path):
    with Ledger(tmp_path / "l") as first:
        job = submit(first)
        run_job(first, job.id, doubled)
        before = (list(first.jobs()), list(first.shards(job.id)))
    with Ledger(tmp_path / "l") as second:
        assert (list(second.jobs()), list(second.shards(job.id))) == before
    second.close()


@pytest.mark.parametrize("content", [b"hello, I am no database\n" * 100, b"\x00" * 4096])
def test_a_foreign_file_is_refused_and_left_as_it_is(tmp_path, content):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    with pytest.raises(ForeignFileError, match="not a job ledger"):
        Ledger(path)
    assert path.read_bytes() == content


def test_a_foreign_database_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "ledger.sqlite"
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE shards_of_glass (x)")
    foreign.close()
    before = path.read_bytes()
    with pytest.raises(ForeignFileError):
        Ledger(path)
    assert path.read_bytes() == before
    with pytest.raises(ForeignFileError):
        Ledger(tmp_path)


def test_a_ledger_of_another_format_is_refused(tmp_path):
    path = tmp_path / "ledger.sqlite"
    Ledger(path).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(FormatVersionError, match="format 99"):
        Ledger(path)


OPENER = """
import sys
from pathlib import Path
from kg.ledger import Ledger
print("ready", flush=True)
for line in sys.stdin:
    with Ledger(Path(line.strip())) as ledger:
        print(ledger.submit("same", {}, [{"n": 1}]).id, flush=True)
"""


def test_several_processes_may_open_a_new_ledger_at_once(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=environment,
        )
        for _ in range(4)
    ]
    try:
        assert {process.stdout.readline() for process in processes} == {"ready\n"}
        for number in range(12):
            for process in processes:
                process.stdin.write(f"{tmp_path / str(number) / 'ledger.sqlite'}\n")
            assert len({process.stdout.readline() for process in processes}) == 1
    finally:
        for process in processes:
            process.communicate()


def test_a_ledger_made_while_it_is_looked_at_is_not_foreign(tmp_path, monkeypatch):
    path = tmp_path / "ledger.sqlite"
    pragma = LedgerFile._pragma

    def slowly(file, name):
        monkeypatch.setattr(LedgerFile, "_pragma", pragma)
        found = pragma(file, name)
        with contextlib.suppress(JobError), Ledger(path) as other:
            other.submit("same", {}, [{"n": 1}])
        return found

    monkeypatch.setattr("kg.ledger_file.BUSY_S", 0.2)
    monkeypatch.setattr(LedgerFile, "_pragma", slowly)
    with Ledger(path) as ledger:
        assert submit(ledger).state == "pending"


def test_an_output_that_cannot_be_kept_gives_the_shard_back(ledger, monkeypatch):
    job = submit(ledger)
    full = OSError(errno.ENOSPC, "No space left on device")

    def fails(*_):
        raise full

    monkeypatch.setattr(ledger, "_keep", fails)
    with pytest.raises(OSError, match="No space"):
        run_job(ledger, job.id, doubled)
    monkeypatch.undo()
    assert {shard.state for shard in ledger.shards(job.id)} == {"pending"}
    assert run_job(ledger, job.id, doubled).state == "done"
