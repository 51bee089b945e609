"""Shards of a job that have to be done again: those that failed, and those whose output is lost."""

from __future__ import annotations

from collections.abc import Iterator

from kg.errors import MissingPartError
from kg.ledger import Ledger, Shard

__all__ = ["lost_outputs", "mend", "retry_failed"]


def mend(ledger: Ledger, job: str) -> int:
    """Free the finished shards whose output was deleted or changed, and return how many there were.

    Reads every output of the job once.
    """
    return ledger.free(job, [shard.number for shard in lost_outputs(ledger, job)])


def lost_outputs(ledger: Ledger, job: str) -> Iterator[Shard]:
    """Iterate the finished shards whose output was deleted or changed."""
    done = (shard for shard in ledger.shards(job) if shard.state == "done")
    return (shard for shard in done if not _is_whole(ledger, shard))


def retry_failed(ledger: Ledger, job: str) -> int:
    """Free the shards that failed, or in which a record did, and return how many there were.

    A shard is done again as a whole: its good records come out as before.

    Raises:
        MissingPartError: There is no such job.
    """
    ledger.job(job)
    failed = [
        shard.number
        for shard in ledger.shards(job)
        if shard.state == "failed" or (shard.state == "done" and shard.counts.get("failed"))
    ]
    return ledger.free(job, failed)


def _is_whole(ledger: Ledger, shard: Shard) -> bool:
    try:
        ledger.output(shard)
    except MissingPartError:
        return False
    return True
