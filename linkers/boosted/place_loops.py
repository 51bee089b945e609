"""Where wanted numbers stand in groups of known ones: a loop, compiled when this is imported."""

from __future__ import annotations

from typing import Any

import numpy as np

from kg.compiled import compiled

__all__ = ["places"]


def _places(known: Any, known_starts: Any, wanted: Any, wanted_starts: Any, size: int) -> Any:
    """Return ``(wanted,)`` the place in `known`, within the same group; -1 where it is not there.

    Args:
        known: Numbers below `size`, one group after the other.
        known_starts: ``(groups + 1,)``.
        wanted: The same.
        wanted_starts: ``(groups + 1,)``.
        size: One more than the largest number there may be.
    """
    found = np.full(len(wanted), -1, np.int64)
    last = np.full(size, -1, np.int64)  # where a number stood last, in whichever group
    for group in range(len(known_starts) - 1):
        for place in range(known_starts[group], known_starts[group + 1]):
            last[known[place]] = place
        for place in range(wanted_starts[group], wanted_starts[group + 1]):
            if last[wanted[place]] >= known_starts[group]:
                found[place] = last[wanted[place]]
    return found


places = compiled(_places, "int64[::1](int32[::1], int64[::1], int64[::1], int64[::1], int64)")
"""``(known, known_starts, wanted, wanted_starts, size)``."""
