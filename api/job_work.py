"""What a kind of job is: its work, and what is asked of it before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.access.keys import Scope
from kg.progress import Progress

__all__ = ["JobKind", "JobRun", "JobWork"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """What a job's work is given.

    Attributes:
        id: Of the job.
        parameters: As they were posted.
        folder: The job's own folder; its input and output lie there.
    """

    id: str
    parameters: Mapping[str, Any]
    folder: Path


JobWork = Callable[[JobRun, Progress], dict[str, Any]]
"""Does a job and returns its counts by name, and under ``output`` the path of its result.

It is resumable: run again in the same folder, it goes on. `progress` raises to end it.
"""


def _anything(_: object) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """One kind of job.

    Attributes:
        work: Does it.
        check: Raises an `InputError` for parameters that it could never work with.
        again: Frees what failed in a job that is to be retried.
        needs: Scopes that whoever starts one must have beside that of the route.
    """

    work: JobWork
    check: Callable[[Mapping[str, Any]], object] = _anything
    again: Callable[[JobRun], object] = _anything
    needs: tuple[Scope, ...] = ()
