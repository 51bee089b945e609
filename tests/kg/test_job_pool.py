"""Jobs whose shards a pool does: the same outputs, failures marked, nothing kept after an error."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import pytest

from kg.errors import EngineError, InputError
from kg.job_runner import run_job_ahead
from kg.ledger import Ledger, Shard, ShardResult


class Pool:
    """Does shards last in, first out."""

    def __init__(self, room: int, *, bad: int = -1, broken: int = -1) -> None:
        self.room, self.bad, self.broken = room, bad, broken
        self.begun: deque[Shard] = deque()
        self.most = 0

    def submit(self, shard: Shard) -> None:
        self.begun.append(shard)
        self.most = max(self.most, len(self.begun))

    def take(self) -> tuple[Shard, ShardResult | EngineError]:
        shard = self.begun.pop()
        number = shard.parameters["n"]
        if number == self.broken:
            raise RuntimeError("the machine is gone")
        if number == self.bad:
            return shard, InputError("no such thing")
        return shard, ShardResult(output=b"%d," % number, counts={"rows": 1})


def test_a_pool_does_all_shards_and_failures_are_marked(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        job = ledger.submit("count", {}, [{"n": n} for n in range(7)]).id
        pool, told = Pool(3, bad=4), []
        done = run_job_ahead(ledger, job, pool, progress=lambda d, of: told.append((d, of)))
        assert (done.state, done.shards) == ("failed", {"done": 6, "failed": 1})
        assert pool.most == 3
        assert told[-1] == (6, 7)
        ledger.retry(job)
        assert run_job_ahead(ledger, job, Pool(1)).state == "done"
        assert b"".join(map(ledger.output, ledger.shards(job))) == b"0,1,2,3,4,5,6,"


def test_what_breaks_a_pool_gives_all_shards_back(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        job = ledger.submit("count", {}, [{"n": n} for n in range(5)]).id
        with pytest.raises(RuntimeError, match="gone"):
            run_job_ahead(ledger, job, Pool(4, broken=1))
        assert {shard.state for shard in ledger.shards(job)} <= {"pending", "done"}
        assert run_job_ahead(ledger, job, Pool(2)).state == "done"


def test_a_paused_job_is_left_after_what_was_begun(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        job = ledger.submit("count", {}, [{"n": n} for n in range(6)]).id

        def check(result: ShardResult) -> ShardResult:
            ledger.pause(job)
            return result

        done = run_job_ahead(ledger, job, Pool(2), check=check)
        assert (done.state, done.done) == ("paused", 2)
