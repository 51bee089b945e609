"""How long work reports itself: a callable that is told how much is done of how much."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "silent"]

Progress = Callable[[int, int], None]
"""Called with (done, total) in units of the work, total 0 where nobody knows; raising from it ends
the work cleanly."""


def silent(_done: int, _total: int) -> None:
    """Report nothing."""
