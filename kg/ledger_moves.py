"""Moves of the job ledger that its methods share; each runs inside a transaction of its caller."""

from __future__ import annotations

import json
import sqlite3

from kg import ledger_statements as sql
from kg.jobs import Worker

__all__ = ["as_json", "is_held", "next_free", "settle"]


def as_json(value: object) -> str:
    """Return the text by which equal values are known to be equal."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def next_free(connection: sqlite3.Connection, job: str, now: float) -> int | None:
    """Return the lowest number of a shard that nobody works on."""
    free: list[int | None] = [connection.execute(sql.FIND_PENDING, (job,)).fetchone()[0]]
    leased = connection.execute(sql.FIND_LEASED, (job,))
    free += [n for n, owner, expires in leased if not is_held(owner, expires, now)]
    return min((number for number in free if number is not None), default=None)


def is_held(owner: str, expires: float, now: float) -> bool:
    """Tell whether a lease holds: its time has not come, and its owner is not known to be dead."""
    return expires > now and not Worker.parse(owner).is_dead()


def settle(connection: sqlite3.Connection, job: str) -> None:
    """Mark a job as done or failed once no shard of it is left to do."""
    if connection.execute(sql.FIND_UNDONE, (job,)).fetchone() is None:
        failed = connection.execute(sql.FIND_ERROR, (job,)).fetchone() is not None
        connection.execute(sql.SET_JOB_STATE, ("failed" if failed else "done", job))
