"""Loops that find the hull of a figure, compiled when this module is imported."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from kg.compiled import compiled

__all__ = ["corners"]

_NOWHERE = np.int64(1 << 40)  # beyond every column


def _side_of(across: Any, corners: Any, start: Any) -> Any:
    """Add the corners of the hull on the side of the smaller numbers (Andrew 1979).

    Args:
        across: ``(rows,)`` the smallest number of each row, or `_NOWHERE`.
        corners: ``(n, 2)`` x and y; those before `start` are kept.
        start: Where to write.

    Returns:
        How many corners there are then.
    """
    size = start
    for y in range(len(across)):
        x = across[y]
        if x == _NOWHERE:
            continue
        while size > start + 1:
            x0, y0 = corners[size - 2, 0], corners[size - 2, 1]
            x1, y1 = corners[size - 1, 0], corners[size - 1, 1]
            if (x1 - x0) * (y - y0) < (x - x0) * (y1 - y0):
                break
            size -= 1
        corners[size, 0] = x
        corners[size, 1] = y
        size += 1
    return size


_side = numba.njit(_side_of)


def _corners(whole: Any) -> Any:
    """Return ``(n, 2)`` x and y of the hull's corners, down the left side and up the right one."""
    height, width = whole.shape
    left = np.empty(height, np.int64)
    right = np.empty(height, np.int64)
    for y in range(height):
        left[y] = right[y] = _NOWHERE
        for x in range(width):
            if whole[y, x]:
                if left[y] == _NOWHERE:
                    left[y] = x
                right[y] = -x
    sides = np.empty((2 * height, 2), np.int64)
    turn = _side(left, sides, 0)
    end = _side(right, sides, turn)
    found = np.empty((end, 2), np.int64)
    for place in range(end):
        source = place if place < turn else end - 1 - (place - turn)
        found[place, 0] = sides[source, 0] if place < turn else -sides[source, 0]
        found[place, 1] = sides[source, 1]
    return found


corners = compiled(_corners, "int64[:, ::1](boolean[:, ::1])")
