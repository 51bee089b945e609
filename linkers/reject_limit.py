"""Ends a linking job once too many rows could not be read, whichever process read them."""

from __future__ import annotations

import time

from kg.errors import JobError
from kg.ledger import Ledger, ShardResult

__all__ = ["RejectLimit", "TooManyRejects"]

_ASK_EVERY_S = 2.0  # between two looks at what other processes have seen


class RejectLimit:
    """Ends a job once too many rows could not be read, whoever read them."""

    def __init__(self, share: float, ledger: Ledger, job: str) -> None:
        self._ledger, self._job = ledger, job
        self._most = share * ledger.place(job)[2]
        self._ask()

    def _ask(self) -> None:
        self._seen = self._ledger.progress(self._job).counts.get("rejects", 0)
        self._asked = time.monotonic()

    def check(self, result: ShardResult) -> ShardResult:
        """Return the result, or raise if it holds one reject too many."""
        new = result.counts.get("rejects", 0)
        if new and time.monotonic() - self._asked > _ASK_EVERY_S:
            self._ask()
        self._seen += new
        if self._seen > self._most:
            raise TooManyRejects(self._error())
        return result

    def check_whole(self) -> None:
        """Raise if a job that is done holds too many.

        Workers look at one another's rejects now and then only, and the limit may be a new one.

        Raises:
            JobError: It does.
        """
        self._ask()
        if self._seen > self._most:
            raise self._error()

    def _error(self) -> JobError:
        return JobError(
            f"more than {self._most:.0f} rows could not be read",
            where=self._job,
            hint="look at the columns, or allow a larger share",
        )


class TooManyRejects(Exception):  # noqa: N818 - it ends a loop, and is no error of ours
    """Carries a `JobError` out of the loop of a job, where it would mark a shard as failed."""

    def __init__(self, error: JobError) -> None:
        self.error = error
