"""The loops that do a job: lease a shard, call its pure function, keep the output, mark it.

Several processes may run `run_job` on one job at once; `run_job_ahead` is one process that has a
pool of others do the shards, wherever they are. The function itself lives with whoever knows the
work (`kg.importing`, `linkers`, `scenes`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from kg.errors import EngineError
from kg.jobs import JobProgress, Shard, ShardResult, Worker
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from kg.ledger import Ledger

__all__ = ["ShardPool", "run_job", "run_job_ahead"]

POLL_S = 0.1


def run_job(
    ledger: Ledger,
    job: str,
    function: Callable[[Shard], ShardResult],
    *,
    lease_s: float = 300.0,
    progress: Progress = silent,
) -> JobProgress:
    """Do all shards of a job that are left, and wait for those that others have in hand.

    An `EngineError` of the function marks its shard as failed and the loop goes on; anything else,
    Ctrl+C too, gives the shard back and passes on. Pausing and cancelling take effect after the
    shard in hand, so shards should take less than a second each.

    Args:
        ledger: Where the job stands.
        job: Its id.
        function: Depends on the shard alone.
        lease_s: Seconds after which somebody else may do a shard too; more than one shard takes.
        progress: Told records done of records in all, at the start and after each shard.

    Returns:
        The state of the job: `done`, `failed`, `paused` or `cancelled`.
    """
    worker = Worker.here()
    state, done, total = ledger.place(job)
    progress(done, total)
    while state in ("pending", "running"):
        shard = ledger.lease_next(job, worker, lease_s=lease_s)
        if shard is None:
            time.sleep(POLL_S)
        else:
            _do(ledger, shard, function, worker)
        state, done, total = ledger.place(job)
        progress(done, total)
    return ledger.progress(job)


def _do(
    ledger: Ledger, shard: Shard, function: Callable[[Shard], ShardResult], worker: Worker
) -> None:
    try:
        try:
            result = function(shard)
        except EngineError as error:
            ledger.fail(shard, str(error), worker)
        else:
            ledger.complete(shard, result)
    except BaseException:
        worker.retire()  # if the disk is full, the lease cannot be given back
        with suppress(EngineError):
            ledger.release(shard, worker)
        raise


class ShardPool(Protocol):
    """Does shards elsewhere, several at a time."""

    @property
    def room(self) -> int:
        """How many shards it takes before the first must be taken back."""
        ...

    def submit(self, shard: Shard) -> None:
        """Begin a shard."""
        ...

    def take(self) -> tuple[Shard, ShardResult | EngineError]:
        """Wait for one of the shards that were begun, and return what became of it."""
        ...


def run_job_ahead(
    ledger: Ledger,
    job: str,
    pool: ShardPool,
    *,
    check: Callable[[ShardResult], ShardResult] = lambda result: result,
    lease_s: float = 300.0,
    progress: Progress = silent,
) -> JobProgress:
    """Do all shards of a job that are left in a pool, else as `run_job`.

    Args:
        ledger: Where the job stands; the pool needs none.
        job: Its id.
        pool: Does the shards.
        check: Raises where a result must end the job.
        lease_s: Seconds after which somebody else may do a shard too.
        progress: Told records done of records in all, at the start and after each shard.
    """
    worker = Worker.here()
    held: dict[int, Shard] = {}
    state, done, total = ledger.place(job)
    progress(done, total)
    try:
        while state in ("pending", "running") or held:
            while len(held) < pool.room:
                shard = ledger.lease_next(job, worker, lease_s=lease_s)
                if shard is None:
                    break
                held[shard.number] = shard
                pool.submit(shard)
            if held:
                shard, result = pool.take()
                if isinstance(result, EngineError):
                    ledger.fail(shard, str(result), worker)
                else:
                    ledger.complete(shard, check(result))
                del held[shard.number]
            else:
                time.sleep(POLL_S)
            state, done, total = ledger.place(job)
            progress(done, total)
    except BaseException:
        worker.retire()
        with suppress(EngineError):
            for shard in held.values():
                ledger.release(shard, worker)
        raise
    return ledger.progress(job)
