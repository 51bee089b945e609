"""Loops over the pixels of a figure, compiled when this module is imported."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from kg.compiled import compiled

__all__ = ["filled", "measured"]


def _flooded_of(free: Any, y: Any, x: Any, stack: Any) -> Any:
    """Take away what can be reached from a free pixel over edges, and return its pixels.

    Args:
        free: ``(height, width)`` bool, no pixel of its rim.
        y: Row.
        x: Column.
        stack: ``(height * width,)`` room.
    """
    width = free.shape[1]
    free[y, x] = False
    stack[0] = y * width + x
    waiting, pixels = 1, 0
    while waiting:
        waiting -= 1
        pixels += 1
        y, x = divmod(stack[waiting], width)
        for way in range(4):
            down, across = y + (way == 0) - (way == 1), x + (way == 2) - (way == 3)
            if free[down, across]:
                free[down, across] = False
                stack[waiting] = down * width + across
                waiting += 1
    return pixels


_flooded = numba.njit(_flooded_of)


def _rimmed_of(mask: Any) -> Any:
    """Return a mask with a rim of ground around it."""
    height, width = mask.shape
    result = np.zeros((height + 2, width + 2), np.bool_)
    for y in range(height):  # an assignment to a slice takes seconds to compile
        for x in range(width):
            result[y + 1, x + 1] = mask[y, x]
    return result


_rimmed = numba.njit(_rimmed_of)


def _one_run_of(mask: Any) -> Any:
    """Tell whether every row, or every column, has one run at most: then there is no hole."""
    height, width = mask.shape
    rows = columns = True
    for y in range(height):
        begins = 0
        for x in range(width):
            begins += mask[y, x] and (x == 0 or not mask[y, x - 1])
        rows = rows and begins <= 1
    if rows:
        return True
    begun = np.zeros(width, np.int32)
    for y in range(height):
        for x in range(width):
            begun[x] += mask[y, x] and (y == 0 or not mask[y - 1, x])
    for x in range(width):
        columns = columns and begun[x] <= 1
    return columns


_one_run = numba.njit(_one_run_of)


def _filled(mask: Any) -> Any:
    """Return ``(height + 2, width + 2)`` a mask with its holes filled, and a rim of ground."""
    height, width = mask.shape
    whole = _rimmed(mask)
    if _one_run(mask):
        return whole
    free = np.zeros((height + 4, width + 4), np.bool_)
    for y in range(height + 2):
        for x in range(width + 2):
            free[y + 1, x + 1] = not whole[y, x]
    _flooded(free, 1, 1, np.empty(free.size, np.int32))
    for y in range(height):
        for x in range(width):
            whole[y + 1, x + 1] |= free[y + 2, x + 2]
    return whole


filled = compiled(_filled, "boolean[:, ::1](Array(boolean, 2, 'C', readonly=True))")


def _pieces_of(free: Any) -> Any:
    """Return the pixels of each piece of a mask, which has a rim and is emptied."""
    height, width = free.shape
    stack = np.empty(free.size, np.int32)
    sizes = np.empty(free.size // 2 + 1, np.int64)
    count = 0
    for y in range(height):
        for x in range(width):
            if free[y, x]:
                sizes[count] = _flooded(free, y, x, stack)
                count += 1
    found = np.empty(count, np.int64)
    for piece in range(count):
        found[piece] = sizes[piece]
    return found


_pieces = numba.njit(_pieces_of)


def _depth_of(mask: Any) -> Any:
    """Return the largest squared distance of a pixel from the ground; a rim of it is around."""
    height, width = mask.shape
    up = np.zeros((height, width), np.int64)  # to the ground in the same column
    for y in range(1, height):
        for x in range(width):
            if mask[y, x]:
                up[y, x] = up[y - 1, x] + 1
    for y in range(height - 2, -1, -1):
        for x in range(width):
            up[y, x] = min(up[y, x], up[y + 1, x] + 1)
    largest = 0
    for y in range(height):
        for x in range(width):
            square = up[y, x] * up[y, x]
            step = 1
            while step * step < square and square > largest:
                near = min(up[y, x - step], up[y, x + step])
                square = min(square, near * near + step * step)
                step += 1
            largest = max(largest, square)
    return largest


_depth = numba.njit(_depth_of)


def _powers_of(size: Any, centre: Any) -> Any:
    """Return ``(size, 4)`` powers 0 to 3 of the distances from a centre."""
    found = np.empty((size, 4), np.float64)
    for place in range(size):
        away = place - centre
        found[place, 0] = 1.0
        found[place, 1] = away
        found[place, 2] = away * away
        found[place, 3] = away * away * away
    return found


_powers = numba.njit(_powers_of)


def _counted_of(padded: Any, whole: Any, counts: Any) -> Any:
    """Count pixels into the first places of `scenes.outlines.COUNTS`."""
    height, width = padded.shape
    for y in range(height):
        for x in range(width):
            here = padded[y, x]
            counts[0] += here
            counts[1] += whole[y, x]
            counts[2] += y * whole[y, x]
            counts[3] += x * whole[y, x]
            counts[4] += here and padded[y, width - 1 - x]
            counts[5] += here and padded[height - 1 - y, x]
            counts[6] += here and padded[height - 1 - y, width - 1 - x]
            if y:
                counts[7] += whole[y, x] != whole[y - 1, x]
            if x:
                counts[7] += whole[y, x] != whole[y, x - 1]
            if x and y:
                counts[8] += whole[y, x] != whole[y - 1, x - 1]
                counts[8] += whole[y, x - 1] != whole[y - 1, x]


_counted = numba.njit(_counted_of)


def _edge_of(whole: Any) -> Any:
    """Return rows and columns of the pixels that have ground beside them."""
    height, width = whole.shape
    places = np.empty((2, whole.size), np.int64)
    count = 0
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            sides = whole[y - 1, x] and whole[y + 1, x] and whole[y, x - 1] and whole[y, x + 1]
            if whole[y, x] and not sides:
                places[0, count] = y
                places[1, count] = x
                count += 1
    found = np.empty((2, count), np.int64)
    for place in range(count):
        found[0, place] = places[0, place]
        found[1, place] = places[1, place]
    return found


_edge = numba.njit(_edge_of)


def _measured(mask: Any, whole: Any, drawn: Any) -> Any:
    """Count what the numbers of a figure are made of.

    Args:
        mask: ``(height - 2, width - 2)`` bool, the figure.
        whole: ``(height, width)`` itself filled, with a rim of ground.
        drawn: Its hull, not 0 where it is.

    Returns:
        ``(13,)`` counts in the order of `scenes.outlines.COUNTS`; the pixels of each bay;
        ``(2, n)`` rows and columns of the edge; ``(height, 4)`` and ``(width, 4)`` powers of the
        distances from the centre.
    """
    height, width = whole.shape
    padded = _rimmed(mask)
    counts = np.zeros(13, np.int64)
    _counted(padded, whole, counts)
    free = np.empty((height, width), np.bool_)
    for y in range(height):
        for x in range(width):
            free[y, x] = whole[y, x] and not padded[y, x]
    holes = _pieces(free)
    counts[9] = len(holes)
    counts[10] = counts[1] - counts[0]
    for y in range(height):
        for x in range(width):
            free[y, x] = drawn[y, x] != 0 and not whole[y, x]
            counts[11] += drawn[y, x] != 0 or whole[y, x]
    bays = _pieces(free)
    counts[12] = _depth(padded)
    down = _powers(height, counts[2] / counts[1])
    right = _powers(width, counts[3] / counts[1])
    return counts, bays, _edge(whole), down, right


measured = compiled(
    _measured,
    "Tuple((int64[::1], int64[::1], int64[:, ::1], float64[:, ::1], float64[:, ::1]))"
    "(Array(boolean, 2, 'C', readonly=True), boolean[:, ::1], Array(uint8, 2, 'C', readonly=True))",
)
