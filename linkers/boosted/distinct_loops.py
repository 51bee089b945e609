"""The loop of `linkers.boosted.candidates.propose`, compiled when this is imported."""

from __future__ import annotations

from typing import Any

import numpy as np

from kg.compiled import compiled

__all__ = ["first_distinct"]


def _first_distinct(ids: Any, starts: Any, limit: int, size: int) -> Any:
    """Return the first distinct ids of each group, those of each ascending, and where they begin.

    Args:
        ids: Below `size`, one group after the other.
        starts: ``(n + 1,)`` where those of each begin.
        limit: Of ids of a group.
        size: One more than the largest id there may be.
    """
    found = np.empty(len(ids), np.int64)
    begins = np.zeros(len(starts), np.int64)
    seen = np.full(size, -1, np.int64)  # the group in which an id was seen last
    for group in range(len(starts) - 1):
        end = begins[group]
        for place in range(starts[group], starts[group + 1]):
            if seen[ids[place]] != group and end - begins[group] < limit:
                seen[ids[place]] = group
                found[end] = ids[place]
                end += 1
        found[begins[group] : end].sort()
        begins[group + 1] = end
    return found[: begins[-1]].copy(), begins


first_distinct = compiled(
    _first_distinct, "Tuple((int64[::1], int64[::1]))(int64[::1], int64[::1], int64, int64)"
)
"""``(ids, starts, limit, size)``."""
