"""Runs jobs behind the REST door: one after another, kept on disk, resumed after a restart.

What a job does stands in `api.steps`, and its rows stand in the ledger; here is only who waits,
who runs, how far it is, and how it ended.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from api.access.keys import Scope
from api.errors import HttpProblem
from api.job_folder import FINISHED, JobFolder, JobRecord
from api.job_work import JobKind, JobRun, JobWork
from api.schemas import JobOut
from kg.errors import EngineError, InputError, JobError, LimitError
from kg.files import sha256_of_text
from kg.progress import Progress

__all__ = ["JobKind", "JobRun", "JobRunner", "JobWork"]

LOG = logging.getLogger("umbra.jobs")
MAX_WAITING = 100
"""Jobs that may wait at the same time."""
EVERY_S = 0.1
"""Seconds between two steps of progress that listeners see."""
_ID = re.compile(r"[0-9a-f]{16}")


class _Stopped(BaseException):
    """Raised out of `progress`: the job was cancelled, or the server ends."""


class JobRunner:
    """Jobs of one working folder.

    Args:
        folder: Where jobs are kept.
        kinds: What a job of each kind does.
        resume: Go on with the jobs that another process left unfinished.

    Example:
        >>> import tempfile
        >>> nothing = JobKind(work=lambda run, progress: {})
        >>> runner = JobRunner(Path(tempfile.mkdtemp()), {"link": nothing})
        >>> job, created = runner.start("link", {})
        >>> created, runner.close()
        (True, True)
    """

    def __init__(self, folder: Path, kinds: Mapping[str, JobKind], *, resume: bool = True) -> None:
        self._folder = JobFolder(folder, lock=resume)
        self._kinds = kinds
        self._changed = threading.Condition()
        self._jobs = {job.id: job for job in self._folder.jobs()}
        self._stopping: set[str] = set()
        self._holding: set[str] = set()
        self._ends = False
        self._thread = threading.Thread(target=self._work, name="umbra-jobs", daemon=True)
        self._thread.start()

    def start(
        self, kind: str, parameters: dict[str, Any], *, idempotency_key: str | None = None
    ) -> tuple[JobOut, bool]:
        """Take a job in; it runs when those before it are done.

        Args:
            kind: Of the kinds.
            parameters: For the work; kept with the job.
            idempotency_key: The same key gives the same job, however often it is sent.

        Returns:
            The job, and whether it is new.

        Raises:
            HttpProblem: The key was used for another request.
            InputError: The parameters are wrong, or jobs of this kind are not run here.
            LimitError: Too many jobs wait.
        """
        self._kind(kind).check(parameters)
        request = sha256_of_text(json.dumps([kind, parameters], sort_keys=True))
        job_id = secrets.token_hex(8)
        if idempotency_key is not None:
            job_id = sha256_of_text(f"key {idempotency_key}")[:16]
        with self._changed:
            known = self._jobs.get(job_id)
            if known is not None and known.request != request:
                raise HttpProblem(
                    "idempotency-key-reused", "this key started another job", job=job_id
                )
            if known is not None:
                return known.shown(), False
            if sum(job.state == "pending" for job in self._jobs.values()) >= MAX_WAITING:
                raise LimitError(f"{MAX_WAITING} jobs wait already", hint="try again later")
            job = JobRecord(id=job_id, kind=kind, request=request, created=time.time())
            self._folder.keep_parameters(job_id, parameters)
            self._keep(job)
            return job.shown(), True

    def needs(self, kind: str) -> tuple[Scope, ...]:
        """Return the scopes that whoever starts a job of a kind must have."""
        return self._kind(kind).needs

    def get(self, job_id: str) -> JobOut:
        """Return a job; an unknown id is an `HttpProblem`."""
        return self.peek(job_id)[0]

    def peek(self, job_id: str) -> tuple[JobOut, int, bool]:
        """Return a job, its revision (grows with every change) and whether it has ended."""
        with self._changed:
            job = self._found(job_id)
            return job.shown(), job.revision, job.state in FINISHED

    def jobs(self) -> tuple[JobOut, ...]:
        """Return all jobs, newest first."""
        with self._changed:
            ordered = sorted(self._jobs.values(), key=lambda job: (-job.created, job.id))
            return tuple(job.shown() for job in ordered)

    def output(self, job_id: str) -> Path:
        """Return the file that a job wrote."""
        with self._changed:
            name = self._found(job_id).output
        if name is None:
            raise HttpProblem("not-found", f"job {job_id} has no output yet")
        return self._folder.of(job_id) / name

    def parameters(self, job_id: str) -> dict[str, Any]:
        """Return what a job was started with; an unknown id is an `HttpProblem`."""
        with self._changed:
            return dict(self._folder.parameters(self._found(job_id).id))

    def cancel(self, job_id: str) -> JobOut:
        """End a job; one that has ended already stays as it is."""
        with self._changed:
            job = self._found(job_id)
            if job.state == "running":
                self._stopping.add(job_id)
            elif job.state not in FINISHED:
                job = self._keep(replace(job, state="cancelled"))
            return job.shown()

    def pause(self, job_id: str) -> JobOut:
        """Stop a job until it is resumed; what it has done stays."""
        with self._changed:
            job = self._found(job_id)
            if job.state == "running":
                self._holding.add(job_id)
            elif job.state in FINISHED:
                raise JobError(f"a job that is {job.state} cannot be paused", where=job_id)
            elif not job.held:
                job = self._keep(replace(job, state="paused", held=True))
            return job.shown()

    def resume(self, job_id: str) -> JobOut:
        """Go on with a paused job; one that waits or runs stays as it is."""
        with self._changed:
            job = self._found(job_id)
            self._holding.discard(job_id)
            if job.state in FINISHED:
                raise JobError(
                    f"a job that is {job.state} cannot be resumed", where=job_id, hint="retry it"
                )
            if job.state == "paused":
                job = self._keep(replace(job, state="pending", held=False))
            return job.shown()

    def retry(self, job_id: str) -> JobOut:
        """Run a job that has ended again: what failed in it, or what was left undone."""
        with self._changed:
            job = self._found(job_id)
            if job.state not in FINISHED:
                raise JobError(
                    f"a job that is {job.state} cannot be retried", where=job_id, hint="resume it"
                )
            self._kind(job.kind).again(self._run_of(job))
            return self._keep(replace(job, state="pending", error=None)).shown()

    def _kind(self, name: str) -> JobKind:
        kind = self._kinds.get(name)
        if kind is None:
            hint = f"take one of {', '.join(self._kinds)}"
            raise InputError(f"no jobs of the kind {name!r} here", where="kind", hint=hint)
        return kind

    def _run_of(self, job: JobRecord) -> JobRun:
        parameters = self._folder.parameters(job.id)
        return JobRun(id=job.id, parameters=parameters, folder=self._folder.of(job.id))

    def close(self, timeout_s: float = 1.0) -> bool:
        """Pause what runs, so that the next server goes on with it.

        Returns:
            True if the running job has ended within the time.
        """
        with self._changed:
            self._ends = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        ended = not self._thread.is_alive()
        if ended:
            self._folder.unlock()
        return ended

    def _found(self, job_id: str) -> JobRecord:
        job = self._jobs.get(job_id) if _ID.fullmatch(job_id) else None
        if job is None:
            raise HttpProblem("unknown-job", f"no job {job_id[:40]!r}", hint="GET /v1/jobs")
        return job

    def _keep(self, job: JobRecord, *, on_disk: bool = True) -> JobRecord:
        """Replace a job by its next revision and wake those who wait; the lock is held."""
        job = replace(job, revision=job.revision + 1)
        if on_disk:
            self._folder.keep(job)
        self._jobs[job.id] = job
        self._changed.notify_all()
        return job

    def _work(self) -> None:
        while (job := self._take()) is not None:
            self._run(job)

    def _take(self) -> JobRecord | None:
        """Wait for the next job and mark it as running; None when the runner ends."""
        with self._changed:
            while not self._ends:
                job = self._next()
                if job is not None:
                    return self._keep(replace(job, state="running", error=None))
                self._changed.wait()
        return None

    def _next(self) -> JobRecord | None:
        waiting = [job for job in self._jobs.values() if job.state == "pending"]
        return min(waiting, key=lambda job: (job.created, job.id), default=None)

    def _run(self, job: JobRecord) -> None:
        try:
            run = self._run_of(job)
            outcome = self._kind(job.kind).work(run, self._progress(job.id))
        except _Stopped:
            self._end(job.id, **self._stopped(job.id))
        except Exception as error:  # noqa: BLE001 - a job may fail, its runner goes on
            self._failed(job.id, error)
        else:
            counts = {name: value for name, value in outcome.items() if type(value) is int}
            output = outcome.get("output")
            name = None if output is None else Path(output).relative_to(run.folder).as_posix()
            self._end(job.id, state="done", counts=counts, output=name)

    def _stopped(self, job_id: str) -> dict[str, Any]:
        """Return what a job becomes that `progress` has stopped."""
        with self._changed:
            if job_id in self._stopping:
                return {"state": "cancelled"}
            held = job_id in self._holding  # if not, the server ends, or somebody resumed it
            return {"state": "paused" if held or self._ends else "pending", "held": held}

    def _failed(self, job_id: str, error: Exception) -> None:
        if self._ends:  # the store is closed under it: no fault of the job
            self._end(job_id, state="paused")
        elif isinstance(error, EngineError):
            self._end(job_id, state="failed", error=str(error))
        else:
            LOG.error("job %s failed", job_id, exc_info=error)
            self._end(job_id, state="failed", error="an unforeseen error; the log has more")

    def _end(self, job_id: str, **changes: Any) -> None:
        with self._changed:
            self._stopping.discard(job_id)
            self._holding.discard(job_id)
            self._keep(replace(self._jobs[job_id], **changes))

    def _progress(self, job_id: str) -> Progress:
        last = 0.0

        def report(done: int, total: int) -> None:
            nonlocal last
            if self._ends or job_id in self._stopping or job_id in self._holding:
                raise _Stopped
            now = time.monotonic()
            if now - last >= EVERY_S or done == total:
                last = now
                with self._changed:
                    job = replace(self._jobs[job_id], done=done, total=total)
                    self._keep(job, on_disk=False)

        return report
