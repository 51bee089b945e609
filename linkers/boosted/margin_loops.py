"""The loop of `linkers.boosted.features.group_best_other`, compiled when this is imported."""

from __future__ import annotations

from typing import Any

import numpy as np

from kg.compiled import compiled

__all__ = ["best_other"]


def _best_other(values: Any, starts: Any) -> Any:
    """Return ``(m, P)`` the best of the other values of the same group; 0 where none is there.

    Args:
        values: ``(m, P)``; NaN counts as nothing.
        starts: ``(n + 1,)`` where each group begins.
    """
    found = np.empty(values.shape, np.float32)
    nothing = np.float32(-np.inf)
    for row in range(len(values)):
        for group in range(len(starts) - 1):
            first = second = nothing
            for place in range(starts[group], starts[group + 1]):
                value = values[row, place]
                if value > first:
                    first, second = value, first
                elif value > second:
                    second = value
            first_told = np.float32(0) if np.isinf(first) else first
            second_told = np.float32(0) if np.isinf(second) else second
            for place in range(starts[group], starts[group + 1]):
                value = values[row, place]
                found[row, place] = second_told if value == first else first_told
    return found


best_other = compiled(_best_other, "float32[:,::1](float32[:,::1], int64[::1])")
"""``(values, starts)``."""
