"""The loop that does a job: lease a shard, call its pure function, keep the output, mark it.

Several processes may run it on one job at once. The function itself lives with whoever knows the
work (`kg.importing`, `linkers`, `scenes`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from kg.errors import EngineError
from kg.jobs import JobProgress, Shard, ShardResult, Worker
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from kg.ledger import Ledger

__all__ = ["run_job"]

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
