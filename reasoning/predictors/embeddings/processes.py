"""Training on several processes: who takes which rows, and the sum of their gradients."""

from __future__ import annotations

from dataclasses import dataclass

import torch

__all__ = ["Processes"]


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
