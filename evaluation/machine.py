"""What a figure was measured with: the machine, the commit, the clock and the peak memory."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from kg.errors import InputError

__all__ = ["Machine", "Measurement", "current_commit", "peak_memory_mb", "this_machine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where a run was made.

    Attributes:
        cores: Cores that the process may use.
        memory_gb: Memory of the machine, in GiB.
        gpu: Name of the accelerator that was used, None for none.

    Raises:
        InputError: A field is out of range.
    """

    cores: int
    memory_gb: float
    gpu: str | None = None

    def __post_init__(self) -> None:
        """Check the fields."""
        if isinstance(self.cores, bool) or not isinstance(self.cores, int) or self.cores < 1:
            raise InputError(f"{self.cores!r} is no number of cores", where="machine.cores")
        if not isinstance(self.memory_gb, int | float) or not 0 < self.memory_gb < float("inf"):
            raise InputError(f"{self.memory_gb!r} is no size", where="machine.memory_gb")
        if self.gpu is not None and not isinstance(self.gpu, str):
            raise InputError(f"{self.gpu!r} is no name", where="machine.gpu")


def this_machine(*, gpu: str | None = None) -> Machine:
    """Return this machine; the accelerator is named by whoever used it."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Machine(cores=cores or 1, memory_gb=round(total / 2**30, 1), gpu=gpu)


_NOT_RESULTS = ":(top,exclude)docs/benchmarks"
"""Pathspec of git: all but the folder that benches write to."""


def current_commit(folder: Path | None = None) -> str | None:
    """Return the hash of the checked-out commit, None outside a repository or without git.

    A ``-dirty`` is added where tracked files differ from the commit, but not for kept results: a
    bench that writes its page would else mark the next one, which ran the very same code.

    Args:
        folder: Inside the repository; the folder of this file if None.
    """
    git = shutil.which("git")
    if git is None:
        return None
    where = Path(__file__).parent if folder is None else folder
    commit = _output(git, where, "rev-parse", "HEAD")
    if not commit:
        return None
    changed = _output(
        git, where, "status", "--porcelain", "--untracked-files=no", "--", ":/", _NOT_RESULTS
    )
    return f"{commit}-dirty" if changed else commit


def _output(git: str, folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  the arguments are our own literals
            [git, "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def peak_memory_mb() -> float:
    """Return the most memory that this process has held so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A clock that was started; ask it for the fields of a result at the end.

    Attributes:
        started: Of a monotonic clock, in seconds.
        date: When it was started, ISO 8601 in UTC.
    """

    started: float
    date: str

    @classmethod
    def start(cls) -> Self:
        """Start the clock."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(started=time.monotonic(), date=now)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return round(time.monotonic() - self.started, 3)
