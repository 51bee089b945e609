"""The SQL of the job ledger: constant texts, values only as parameters; and what a row means."""

from __future__ import annotations

import json
from typing import Any, Final

from kg.jobs import Job, Shard

__all__ = [
    "ADD_JOB",
    "ADD_SHARD",
    "COUNT_BY_STATE",
    "FIND_CONTENT",
    "FIND_ERROR",
    "FIND_JOB",
    "FIND_LEASED",
    "FIND_PENDING",
    "FIND_SHARD",
    "FIND_UNDONE",
    "FREE_ONE",
    "FREE_SHARD",
    "LEASE_SHARD",
    "LIST_JOBS",
    "LIST_SHARDS",
    "MARK_DONE",
    "MARK_FAILED",
    "RELEASE_SHARD",
    "SCHEMA",
    "SET_JOB_STATE",
    "SUM_COUNTS",
    "job_of",
    "shard_of",
]

SCHEMA: Final = (
    """CREATE TABLE jobs (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, parameters TEXT NOT NULL,
        content TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL)""",
    """CREATE TABLE shards (
        job TEXT NOT NULL REFERENCES jobs(id), number INTEGER NOT NULL, parameters TEXT NOT NULL,
        size INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'pending', owner TEXT, expires REAL,
        sha256 TEXT, counts TEXT, error TEXT, PRIMARY KEY (job, number)) WITHOUT ROWID""",
    "CREATE INDEX shards_by_state ON shards (job, state, number)",
)

ADD_JOB: Final = "INSERT INTO jobs VALUES (?, ?, ?, ?, 'pending', ?)"
ADD_SHARD: Final = "INSERT INTO shards (job, number, parameters, size) VALUES (?, ?, ?, ?)"
FIND_CONTENT: Final = "SELECT content FROM jobs WHERE id = ?"
FIND_JOB: Final = "SELECT id, kind, parameters, state, created FROM jobs WHERE id = ?"
LIST_JOBS: Final = (
    "SELECT id, kind, parameters, state, created FROM jobs"
    " WHERE ? IN (kind, '') ORDER BY created DESC, id"
)
SET_JOB_STATE: Final = "UPDATE jobs SET state = ? WHERE id = ?"

LIST_SHARDS: Final = (
    "SELECT job, number, parameters, size, state, sha256, counts, error FROM shards"
    " WHERE job = ? ORDER BY number"
)
FIND_SHARD: Final = (
    "SELECT job, number, parameters, size, state, sha256, counts, error FROM shards"
    " WHERE job = ? AND number = ?"
)
FIND_PENDING: Final = "SELECT min(number) FROM shards WHERE job = ? AND state = 'pending'"
FIND_LEASED: Final = "SELECT number, owner, expires FROM shards WHERE job = ? AND state = 'leased'"
COUNT_BY_STATE: Final = "SELECT state, count(*), sum(size) FROM shards WHERE job = ? GROUP BY state"
SUM_COUNTS: Final = (
    "SELECT each.key, sum(each.value) FROM shards, json_each(shards.counts) AS each"
    " WHERE job = ? AND state = 'done' GROUP BY each.key ORDER BY each.key"
)
FIND_ERROR: Final = (
    "SELECT error FROM shards WHERE job = ? AND state = 'failed' ORDER BY number LIMIT 1"
)
FIND_UNDONE: Final = (
    "SELECT state FROM shards WHERE job = ? AND state IN ('pending', 'leased') LIMIT 1"
)

LEASE_SHARD: Final = (
    "UPDATE shards SET state = 'leased', owner = ?, expires = ? WHERE job = ? AND number = ?"
)
MARK_DONE: Final = (
    "UPDATE shards SET state = 'done', owner = NULL, expires = NULL, error = NULL,"
    " sha256 = ?, counts = ? WHERE job = ? AND number = ?"
)
MARK_FAILED: Final = (
    "UPDATE shards SET state = 'failed', owner = NULL, expires = NULL, error = ?"
    " WHERE job = ? AND number = ? AND state = 'leased' AND owner = ?"
)
RELEASE_SHARD: Final = (
    "UPDATE shards SET state = 'pending', owner = NULL, expires = NULL"
    " WHERE job = ? AND number = ? AND state = 'leased' AND owner = ?"
)
FREE_SHARD: Final = (
    "UPDATE shards SET state = 'pending', error = NULL, sha256 = NULL, counts = NULL"
    " WHERE job = ? AND (state = 'failed' OR (? AND state = 'done'))"
)
FREE_ONE: Final = (
    "UPDATE shards SET state = 'pending', error = NULL, sha256 = NULL, counts = NULL"
    " WHERE job = ? AND number = ? AND state IN ('failed', 'done')"
)


def job_of(row: tuple[Any, ...]) -> Job:
    """Return the job that a row of `FIND_JOB` or `LIST_JOBS` describes."""
    job, kind, parameters, state, created = row
    return Job(id=job, kind=kind, parameters=json.loads(parameters), state=state, created=created)


def shard_of(row: tuple[Any, ...]) -> Shard:
    """Return the shard that a row of `FIND_SHARD` or `LIST_SHARDS` describes."""
    job, number, parameters, size, state, sha256, counts, error = row
    return Shard(
        job=job,
        number=number,
        parameters=json.loads(parameters),
        size=size,
        state=state,
        sha256=sha256,
        counts=json.loads(counts) if counts else {},
        error=error,
    )
