"""Jobs and their shards as plain values, and who holds a lease; `kg.ledger` keeps them.

A job is a pure function over shards: the same shard gives the same bytes, whoever computes it.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

__all__ = ["Job", "JobProgress", "JobState", "Shard", "ShardResult", "ShardState", "Worker"]

JobState = Literal["pending", "running", "paused", "done", "failed", "cancelled"]
ShardState = Literal["pending", "leased", "done", "failed"]

_RETIRED: set[str] = set()  # names of workers of this process


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job of the ledger.

    Attributes:
        id: Kind and a hash of what was submitted.
        kind: What it does: ``import``, ``link`` …
        parameters: What it was submitted with; plain JSON.
        state: `pending` (no shard was begun), `running`, `paused`, `cancelled`, `done`, or `failed`
            (no shard is left to do, and some failed).
        created: Seconds since 1970.
    """

    id: str
    kind: str
    parameters: Mapping[str, Any]
    state: JobState
    created: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A piece of a job.

    Attributes:
        job: Id of the job.
        number: Place in the job, from 0.
        parameters: What makes it this shard; plain JSON.
        size: Records in it, the unit of progress.
        state: `pending`, `leased`, `done` or `failed`.
        sha256: Digest of its output, once done.
        counts: Records of the output by state, once done.
        error: Why it failed.
    """

    job: str
    number: int
    parameters: Mapping[str, Any]
    size: int = 1
    state: ShardState = "pending"
    sha256: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardResult:
    """What the function of a job returns for one shard.

    Attributes:
        output: The bytes to keep; they depend on the shard alone.
        counts: Records by state (``linked``, ``nil``, ``rejects`` …).
    """

    output: bytes
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """How far a job has come.

    Attributes:
        state: State of the job.
        done: Records in finished shards.
        total: Records in all shards.
        shards: Number of shards by state.
        counts: Records by state, summed over finished shards.
        error: Reason of the first failed shard, if any.
    """

    state: JobState
    done: int
    total: int
    shards: Mapping[ShardState, int]
    counts: Mapping[str, int]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """Who holds a lease: machine, process and start of the process, and a name of its own.

    The start time tells a process from a later one that was given the same id.
    """

    host: str
    pid: int
    started: str
    name: str

    @classmethod
    def here(cls) -> Worker:
        """Return a new worker of this process."""
        pid = os.getpid()
        return cls(_host(), pid, _started(pid), uuid.uuid4().hex[:12])

    def retire(self) -> None:
        """Work no more: what it holds is free to the others of this process at once."""
        _RETIRED.add(self.name)

    def is_dead(self) -> bool:
        """Tell whether it or its process is known to have ended; elsewhere nobody knows."""
        if self.name in _RETIRED:
            return True
        return self.host == _host() and _started(self.pid) != self.started

    def __str__(self) -> str:
        """Return all of it on one line."""
        return f"{self.host} {self.pid} {self.started} {self.name}"

    @classmethod
    def parse(cls, text: str) -> Worker:
        """Read what `str` wrote."""
        host, pid, started, name = text.split(" ")
        return cls(host, int(pid), started, name)


def _host() -> str:
    return socket.gethostname().replace(" ", "_") or "localhost"


def _started(pid: int) -> str:
    """Return the start time of a process in clock ticks; "gone" if it is not running.

    Without ``/proc`` the answer is only whether it runs.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "gone" if Path("/proc/self/stat").exists() else _answers(pid)
    return "gone" if fields[0] in "ZX" else fields[19]


def _answers(pid: int) -> str:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    except PermissionError:
        pass
    return "running"
