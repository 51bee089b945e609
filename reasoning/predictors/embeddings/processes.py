"""Training on several processes: who takes which rows, and the sum of their gradients."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

__all__ = ["Processes", "process_group"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """The group that `torch.distributed` was initialised with, or this process alone.

    Attributes:
        rank: Number of this process.
        count: Number of processes.
    """

    rank: int = 0
    count: int = 1

    @classmethod
    def current(cls) -> Processes:
        """Return the group as it is now."""
        distributed = torch.distributed
        if not distributed.is_available() or not distributed.is_initialized():
            return cls()
        return cls(rank=distributed.get_rank(), count=distributed.get_world_size())

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files."""
        return self.rank == 0

    def share_of(self, rows: torch.Tensor) -> torch.Tensor:
        """Return this process's rows of a batch."""
        return rows[self.rank :: self.count]

    def add_up(self, gradient: torch.Tensor) -> None:
        """Replace a gradient by the sum of all processes' gradients."""
        if self.count > 1:
            torch.distributed.all_reduce(gradient)


@contextmanager
def process_group() -> Iterator[Processes]:
    """Join the processes that `torchrun` started, for as long as the block lasts.

    ``torchrun --nproc-per-node 4 -m bench.link_prediction …`` trains one model on four processes;
    started alone, the process stays alone. Uses gloo, which needs no GPU.
    """
    distributed = torch.distributed
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield Processes()
        return
    distributed.init_process_group("gloo")
    try:
        yield Processes.current()
    finally:
        distributed.destroy_process_group()
