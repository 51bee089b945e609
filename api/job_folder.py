"""The jobs of the REST door on disk: one folder a job, one server at a time that runs them."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

from api.schemas import JobOut
from kg.errors import EngineError
from kg.files import read_json, write_json

__all__ = ["FINISHED", "JobFolder", "JobRecord"]

LOG = logging.getLogger("umbra.jobs")
FORMAT = 1
FINISHED = ("done", "failed", "cancelled")
"""States that a job leaves only where somebody retries it."""
LEAP = 1_000_000
"""What a restart adds to a job's revision: revisions of progress are not written to disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job as its door knows it; its rows stand in the ledger.

    Attributes:
        id: 16 hexadecimal digits.
        kind: What it does.
        request: Hash of what was asked for.
        created: Seconds since 1970.
        state: As in `JobOut`.
        done: Records done.
        total: Records in all.
        revision: Grows with every change; the id of an event.
        counts: Of the outcome.
        error: Why it failed.
        output: Name of its result in its folder.
        held: It is paused until somebody resumes it, not only until the next server starts.
    """

    id: str
    kind: str
    request: str
    created: float
    state: Literal["pending", "running", "paused", "done", "failed", "cancelled"] = "pending"
    done: int = 0
    total: int = 0
    revision: int = 1
    counts: dict[str, int] = field(default_factory=dict)
    error: str | None = None
    output: str | None = None
    held: bool = False

    def shown(self) -> JobOut:
        """Return the job as every door shows it."""
        url = None if self.output is None else f"/v1/jobs/{self.id}/output"
        return JobOut(
            id=self.id, kind=self.kind, state=self.state, done=self.done, total=self.total,
            counts=self.counts, error=self.error, output=url,
        )  # fmt: skip


class JobFolder:
    """Keeps jobs.

    Args:
        folder: Where they lie.
        lock: Try to be the one whose jobs are run; others only show them.
    """

    def __init__(self, folder: Path, *, lock: bool) -> None:
        self._folder = folder
        self._lock = self._locked() if lock else None

    def _locked(self) -> int | None:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / "runner.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # another server has it
            os.close(handle)
            return None
        return handle

    def unlock(self) -> None:
        """Let another server run the jobs; calling it twice is harmless."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def of(self, job_id: str) -> Path:
        """Return the folder of a job."""
        return self._folder / job_id

    def jobs(self) -> Iterator[JobRecord]:
        """Read all jobs; with the lock, those that are not finished wait to go on."""
        for path in sorted(self._folder.glob("*/job.json")):
            try:
                kept = read_json(path, kind="job", formats=(FORMAT,))
                job = JobRecord(**cast("dict[str, Any]", kept["job"]))
            except (EngineError, TypeError, KeyError) as error:
                LOG.warning("a job is left out: %s", error)
                continue
            if job.state not in FINISHED and not job.held and self._lock is not None:
                job = replace(job, state="pending")
            yield replace(job, revision=job.revision + LEAP)

    def keep(self, job: JobRecord) -> None:
        """Write a job."""
        write_json(self.of(job.id) / "job.json", {"format": FORMAT, "job": asdict(job)})

    def keep_parameters(self, job_id: str, parameters: dict[str, Any]) -> None:
        """Write what a job was asked for."""
        write_json(self.of(job_id) / "parameters.json", parameters)

    def parameters(self, job_id: str) -> dict[str, Any]:
        """Read what a job was asked for."""
        return read_json(self.of(job_id) / "parameters.json", kind="parameters of a job")
