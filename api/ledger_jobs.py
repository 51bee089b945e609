"""Jobs of a working folder's ledger as people see and steer them; what they do stands elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from api.workspace import Workspace
from kg.errors import InputError, MissingPartError
from kg.jobs import Job
from kg.ledger import Ledger
from kg.ledger_repair import retry_failed

__all__ = ["change_job", "list_jobs", "retry_job", "show_job"]

_CHANGES: Mapping[str, Callable[[Ledger, str], None]] = {
    "pause": Ledger.pause,
    "resume": Ledger.resume,
    "cancel": Ledger.cancel,
}


def list_jobs(workspace: Workspace, kind: str | None = None) -> list[dict[str, Any]]:
    """Return the jobs, newest first: id, kind, state, records done, records in all, when made.

    Raises:
        MissingPartError: Nothing was ever done in this folder.
    """
    with _ledger(workspace) as ledger:
        return [_row(ledger, job) for job in ledger.jobs(kind)]


def show_job(workspace: Workspace, name: str) -> dict[str, Any]:
    """Return what is known of a job.

    Args:
        workspace: The working folder.
        name: Its id, or the beginning of it if that names one job only.

    Raises:
        MissingPartError: There is no such job.
        InputError: Several begin like this.
    """
    with _ledger(workspace) as ledger:
        job = _found(ledger, name)
        now = ledger.progress(job.id)
        shown = _row(ledger, job) | {
            "records_by_state": dict(now.counts),
            "shards": dict(now.shards),
            "parameters": dict(job.parameters),
        }
        return shown if now.error is None else shown | {"error": now.error}


def change_job(workspace: Workspace, name: str, change: str) -> dict[str, Any]:
    """Pause, resume or cancel a job; whoever works on it ends after the shard in hand.

    Args:
        workspace: The working folder.
        name: Id of the job, or the beginning of it.
        change: ``pause``, ``resume`` or ``cancel``.

    Raises:
        MissingPartError: There is no such job.
        JobError: Its state does not allow that.
    """
    with _ledger(workspace) as ledger:
        job = _found(ledger, name)
        _CHANGES[change](ledger, job.id)
        return _row(ledger, ledger.job(job.id))


def retry_job(workspace: Workspace, name: str, *, everything: bool = False) -> dict[str, Any]:
    """Free what failed in a job, shards and the shards of records; the same command does it again.

    Args:
        workspace: The working folder.
        name: Id of the job, or the beginning of it.
        everything: Free all shards.

    Raises:
        MissingPartError: There is no such job.
    """
    with _ledger(workspace) as ledger:
        job = _found(ledger, name)
        freed = (
            ledger.retry(job.id, everything=True) if everything else retry_failed(ledger, job.id)
        )
        return _row(ledger, ledger.job(job.id)) | {"shards_freed": freed}


def _row(ledger: Ledger, job: Job) -> dict[str, Any]:
    state, done, total = ledger.place(job.id)
    created = datetime.fromtimestamp(job.created, UTC).isoformat(timespec="seconds")
    return {
        "job": job.id,
        "kind": job.kind,
        "state": state,
        "done": done,
        "total": total,
        "created": created,
    }


def _found(ledger: Ledger, name: str) -> Job:
    fits = [job for job in ledger.jobs() if job.id.startswith(name)]
    exact = [job for job in fits if job.id == name]
    if len(exact or fits) == 1:
        return (exact or fits)[0]
    if fits:
        several = ", ".join(job.id for job in fits[:5])
        raise InputError(f"{name!r} begins several jobs", hint=f"one of {several}")
    raise MissingPartError(f"no job {name!r}", where=str(ledger.path), hint="umbra jobs list")


@contextmanager
def _ledger(workspace: Workspace) -> Iterator[Ledger]:
    if not workspace.ledger.exists():
        raise MissingPartError(
            "no jobs here", where=str(workspace.folder), hint="umbra build or umbra link run"
        )
    with Ledger(workspace.ledger) as ledger:
        yield ledger
