"""Shards of jobs by Ray's actors, on this machine or on a cluster; the extra ``ray``.

The ledger stays with the command: it leases shards, sends them out and keeps what comes back, so
that a run by Ray resumes, pauses and writes the very bytes that a run without it would. Actors open
linkers and models themselves: on a cluster the working folder, their folders and the tables must
lie at the same paths on every machine. ``RAY_ADDRESS`` names a cluster; without it Ray runs here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from api.settings import Settings
from api.steps.open_linker import LinkerChoice, open_linker
from api.workspace import Workspace
from kg.errors import EngineError, JobError, MissingPartError
from kg.jobs import Shard, ShardResult

if TYPE_CHECKING:
    from linkers.pipeline import LinkTask

__all__ = ["LinkingActors", "RayPool", "ShardOpener"]

_AHEAD = 2  # shards an actor has: one in hand, one waiting


class ShardOpener(Protocol):
    """What an actor needs to do shards; plain values that can be sent to it."""

    def function(self) -> Callable[[Shard], ShardResult]:
        """Open what the work needs, where it is called, and return the pure function of a shard."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkingActors:
    """Opens a linker (a `ShardOpener`).

    Attributes:
        workspace: The working folder.
        settings: Its settings.
        choice: Which linker.
        task: What is linked.
        fingerprint: Of the linker that the job was submitted for.
    """

    workspace: Workspace
    settings: Settings
    choice: LinkerChoice
    task: LinkTask
    fingerprint: str

    def function(self) -> Callable[[Shard], ShardResult]:
        """Open the linker and return the pure function of a shard.

        Raises:
            JobError: The linker is another one there.
        """
        import torch

        from api.engine import Engine
        from linkers.shard_work import shard_function

        torch.set_num_threads(1)
        engine = Engine(self.workspace, settings=self.settings)
        store = engine.store if self.task.edges is not None else None
        linker = open_linker(engine, self.choice)
        return shard_function(linker, self.task, fingerprint=self.fingerprint, store=store)


class _Actor:
    """Lives in a process of Ray's."""

    def __init__(self, opener: ShardOpener) -> None:
        self._opener = opener
        self._function: Callable[[Shard], ShardResult] | None = None

    def do(self, shard: Shard) -> ShardResult | EngineError:
        """Return what becomes of a shard; an error that marks it as failed is returned too."""
        try:
            self._function = self._function or self._opener.function()
            return self._function(shard)
        except EngineError as error:
            return error


class RayPool:
    """Actors that do shards (`kg.job_runner.ShardPool`). Use it as a context manager.

    Args:
        opener: What each actor needs.
        workers: How many there are.

    Raises:
        MissingPartError: Ray is not installed.
    """

    def __init__(self, opener: ShardOpener, *, workers: int) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
        # Ray's own 15 leaves actors without a core where anything else runs on the machine
        os.environ.setdefault("RAY_worker_niceness", "0")
        try:
            import ray
        except ImportError as error:
            raise MissingPartError(
                "Ray is not installed", where="--engine ray", hint="pip install 'umbra-kg[ray]'"
            ) from error
        self._ray: Any = ray
        self._started = not ray.is_initialized()
        if self._started:
            address = os.environ.get("RAY_ADDRESS")
            here = {} if address else {"num_cpus": workers, "include_dashboard": False}
            ray.init(address=address, log_to_driver=False, configure_logging=False, **here)
        remote = ray.remote(num_cpus=1)(_Actor)
        self._actors = [remote.remote(opener) for _ in range(workers)]
        self._busy = dict.fromkeys(range(workers), 0)
        self._begun: dict[Any, tuple[int, Shard]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for actor in self._actors:
            self._ray.kill(actor)
        if self._started:
            self._ray.shutdown()

    @property
    def room(self) -> int:
        """How many shards it takes before the first must be taken back."""
        return _AHEAD * len(self._actors)

    def submit(self, shard: Shard) -> None:
        """Begin a shard with the actor that has the fewest."""
        number = min(self._busy, key=lambda one: self._busy[one])
        self._busy[number] += 1
        self._begun[self._actors[number].do.remote(shard)] = (number, shard)

    def take(self) -> tuple[Shard, ShardResult | EngineError]:
        """Wait for one of the shards that were begun, and return what became of it.

        Raises:
            JobError: An actor was killed, or failed in a way that is no shard's.
        """
        (ready, *_), _ = self._ray.wait(list(self._begun), num_returns=1)
        number, shard = self._begun.pop(ready)
        self._busy[number] -= 1
        try:
            return shard, self._ray.get(ready)
        except self._ray.exceptions.RayError as error:
            raise JobError(
                f"an actor of Ray's ended: {str(error).strip().splitlines()[-1]}",
                where=f"shard {shard.number}",
                hint="run the same command again; it goes on where it was",
            ) from error
