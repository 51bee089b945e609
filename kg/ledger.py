"""The job ledger: one SQLite file that says which shard of which job is done, and by whom.

Outputs lie beside it, named by their content: written to a temporary file, fsynced and renamed
before the shard is marked, so that a kill at any moment loses at most the shard in hand, and doing
it again gives the same bytes. Several processes may work on one job. Nobody but this module writes
the file; `kg.job_runner` has the loop that does a job.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from kg import ledger_statements as sql
from kg.errors import ConflictError, JobError, MissingPartError
from kg.files import atomic_write, sha256_of_file, sha256_of_text
from kg.job_runner import run_job
from kg.jobs import Job, JobProgress, JobState, Shard, ShardResult, Worker
from kg.ledger_file import FORMAT, LedgerFile
from kg.ledger_moves import as_json, is_held, next_free, settle
from kg.ledger_statements import job_of, shard_of

__all__ = ["FORMAT", "Job", "JobProgress", "Ledger", "Shard", "ShardResult", "Worker", "run_job"]


class Ledger:
    """Jobs and shards in one file; safe for several processes and threads at once.

    Args:
        path: The file; it and its folder are made if missing. Outputs go to ``outputs`` beside it.
        clock: Seconds since 1970, for leases.

    Raises:
        ForeignFileError: Something else lies there.
        FormatVersionError: A ledger of another format.

    Example:
        >>> import tempfile
        >>> ledger = Ledger(Path(tempfile.mkdtemp()) / "ledger.sqlite")
        >>> job = ledger.submit("double", {}, [{"n": 1}, {"n": 2}])
        >>> done = run_job(ledger, job.id, lambda shard: ShardResult(
        ...     output=b"%d" % (2 * shard.parameters["n"])))
        >>> done.state, [ledger.output(shard) for shard in ledger.shards(job.id)]
        ('done', [b'2', b'4'])
        >>> ledger.close()
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.outputs = path.parent / "outputs"
        self._clock = clock
        self._file = LedgerFile(path)

    def close(self) -> None:
        """Close the file; calling it twice is harmless."""
        self._file.close()

    def complaints(self) -> list[str]:
        """Return what SQLite finds wrong with the file."""
        return [text for (text,) in self._file.rows("PRAGMA quick_check") if text != "ok"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(
        self,
        kind: str,
        parameters: Mapping[str, Any],
        shards: Sequence[Mapping[str, Any]],
        *,
        key: str | None = None,
        sizes: Sequence[int] | None = None,
    ) -> Job:
        """Add a job, or return the one that was submitted before with the same key.

        Args:
            kind: What the job does.
            parameters: Plain JSON.
            shards: Parameters of each shard, plain JSON.
            key: Idempotency key; the content's hash if not given.
            sizes: Records in each shard, 1 each if not given.

        Raises:
            ConflictError: The key was used for other parameters or shards.
        """
        rows = [
            (as_json(shard), 1 if sizes is None else sizes[i]) for i, shard in enumerate(shards)
        ]
        content = sha256_of_text(as_json([kind, parameters, rows]))
        job = f"{kind}-{sha256_of_text(content if key is None else as_json([kind, key]))[:16]}"
        with self._file.transaction() as connection:
            old = connection.execute(sql.FIND_CONTENT, (job,)).fetchone()
            if old is None:
                connection.execute(
                    sql.ADD_JOB,
                    (job, kind, as_json(parameters), content, self._clock()),
                )
                connection.executemany(
                    sql.ADD_SHARD,
                    [(job, i, text, size) for i, (text, size) in enumerate(rows)],
                )
                settle(connection, job)
            elif old[0] != content:
                raise ConflictError(
                    f"the key {key!r} was used for another job",
                    where=job,
                    hint="take another key, or submit the same parameters",
                )
        return self.job(job)

    def job(self, job: str) -> Job:
        """Return a job.

        Raises:
            MissingPartError: There is none of this id.
        """
        rows = self._file.rows(sql.FIND_JOB, job)
        if not rows:
            raise MissingPartError(f"no job {job!r}", where=str(self.path), hint="list the jobs")
        return job_of(rows[0])

    def jobs(self, kind: str | None = None) -> Iterator[Job]:
        """Iterate jobs, newest first."""
        yield from map(job_of, self._file.rows(sql.LIST_JOBS, kind or ""))

    def shards(self, job: str) -> Iterator[Shard]:
        """Iterate the shards of a job by number."""
        yield from map(shard_of, self._file.rows(sql.LIST_SHARDS, job))

    def lease_next(self, job: str, worker: Worker, *, lease_s: float = 300.0) -> Shard | None:
        """Take the next shard that is free: pending, or held by someone dead or too slow.

        Returns:
            The shard, or None if there is none, or the job is paused, cancelled or done.
        """
        now = self._clock()
        with self._file.transaction() as connection:
            found = connection.execute(sql.FIND_JOB, (job,)).fetchone()
            if found is None or job_of(found).state not in ("pending", "running"):
                return None
            number = next_free(connection, job, now)
            if number is None:
                return None
            lease = (str(worker), now + lease_s, job, number)
            connection.execute(sql.LEASE_SHARD, lease)
            connection.execute(sql.SET_JOB_STATE, ("running", job))
            row = connection.execute(sql.FIND_SHARD, (job, number)).fetchone()
        return shard_of(row)

    def complete(self, shard: Shard, result: ShardResult) -> None:
        """Keep the output of a shard and mark it done.

        Whoever comes second with the same bytes changes nothing.

        Raises:
            JobError: It was done before with other bytes: its function is not pure.
        """
        digest = hashlib.sha256(result.output).hexdigest()
        self._keep(digest, result.output)
        with self._file.transaction() as connection:
            where = (shard.job, shard.number)
            now = shard_of(connection.execute(sql.FIND_SHARD, where).fetchone())
            if now.state == "done" and now.sha256 != digest:
                raise JobError(
                    "a shard was done twice with different results",
                    where=f"{shard.job}, shard {shard.number}",
                    hint="its function must depend on the shard alone",
                )
            if not self._output_path(digest).exists():  # swept since (`kg.ledger_sweep`)
                self._keep(digest, result.output)
            connection.execute(sql.MARK_DONE, (digest, as_json(dict(result.counts)), *where))
            settle(connection, shard.job)

    def at_work(self, job: str) -> bool:
        """Tell whether a living worker holds a shard of a job."""
        leased, now = self._file.rows(sql.FIND_LEASED, job), self._clock()
        return any(is_held(owner, expires, now) for _, owner, expires in leased)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Return a context in which no other process or thread changes the ledger."""
        with self._file.transaction():
            yield

    def fail(self, shard: Shard, reason: str, worker: Worker) -> None:
        """Mark a shard that this worker holds as failed; `retry` frees it again."""
        with self._file.transaction() as connection:
            held = (shard.job, shard.number, str(worker))
            connection.execute(sql.MARK_FAILED, (reason, *held))
            settle(connection, shard.job)

    def release(self, shard: Shard, worker: Worker) -> None:
        """Give a shard back undone, if this worker still holds it."""
        with self._file.transaction() as connection:
            connection.execute(sql.RELEASE_SHARD, (shard.job, shard.number, str(worker)))

    def pause(self, job: str) -> None:
        """Lease no more shards of a job until `resume`; those in hand are finished."""
        self._change(job, "paused", ("pending", "running"))

    def cancel(self, job: str) -> None:
        """Lease no more shards of a job; what is done stays."""
        self._change(job, "cancelled", ("pending", "running", "paused"))

    def resume(self, job: str) -> None:
        """Go on with a paused or cancelled job."""
        self._change(job, "running", ("paused", "cancelled"))

    def retry(self, job: str, *, everything: bool = False) -> int:
        """Free the failed shards of a job, or all of them, and return how many there were."""
        with self._file.transaction() as connection:
            freed = connection.execute(sql.FREE_SHARD, (job, everything)).rowcount
            if freed:
                connection.execute(sql.SET_JOB_STATE, ("running", job))
        return freed

    def free(self, job: str, numbers: Iterable[int]) -> int:
        """Free shards that are done or failed, and return how many there were (`kg.ledger_repair`).

        A job that was at its end runs again; one that is paused or cancelled stays so.
        """
        with self._file.transaction() as connection:
            now = job_of(connection.execute(sql.FIND_JOB, (job,)).fetchone()).state
            freed = sum(connection.execute(sql.FREE_ONE, (job, n)).rowcount for n in numbers)
            if freed and now in ("done", "failed"):
                connection.execute(sql.SET_JOB_STATE, ("running", job))
        return freed

    def _change(self, job: str, state: JobState, allowed: tuple[JobState, ...]) -> None:
        self.job(job)  # raises where there is none
        with self._file.transaction() as connection:
            now = job_of(connection.execute(sql.FIND_JOB, (job,)).fetchone()).state
            if now not in (*allowed, state):
                raise JobError(f"a job that is {now} cannot become {state}", where=job)
            connection.execute(sql.SET_JOB_STATE, (state, job))
            if state == "running":
                settle(connection, job)

    def progress(self, job: str) -> JobProgress:
        """Return how far a job has come."""
        state, done, total = self.place(job)
        errors = self._file.rows(sql.FIND_ERROR, job)
        return JobProgress(
            state=state,
            done=done,
            total=total,
            shards={row[0]: row[1] for row in self._file.rows(sql.COUNT_BY_STATE, job)},
            counts=dict(self._file.rows(sql.SUM_COUNTS, job)),
            error=errors[0][0] if errors else None,
        )

    def place(self, job: str) -> tuple[JobState, int, int]:
        """Return state, records done and records in all: the cheap part of `progress`."""
        sizes = {row[0]: row[2] for row in self._file.rows(sql.COUNT_BY_STATE, job)}
        return self.job(job).state, sizes.get("done", 0), sum(sizes.values())

    def output(self, shard: Shard) -> bytes:
        """Return the output of a finished shard, checked against its digest.

        Raises:
            MissingPartError: The shard is not done, or its output was deleted or changed.
        """
        path = None if shard.sha256 is None else self._output_path(shard.sha256)
        if path is None or not path.exists() or sha256_of_file(path) != shard.sha256:
            raise MissingPartError(
                f"no output of shard {shard.number}",
                where=shard.job,
                hint="run the job, or retry all of it",
            )
        return path.read_bytes()

    def write_output(self, job: str, path: Path) -> None:
        """Write the outputs of all finished shards into one file, in order and atomically."""
        with atomic_write(path) as file:
            for shard in self.shards(job):
                if shard.state == "done":
                    file.write(self.output(shard))

    def _output_path(self, digest: str) -> Path:
        return self.outputs / digest[:2] / digest

    def _keep(self, digest: str, output: bytes) -> None:
        path = self._output_path(digest)
        if not path.exists() or sha256_of_file(path) != digest:
            with atomic_write(path) as file:
                file.write(output)
