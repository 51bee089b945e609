"""Loops over the pixels and paints of `scenes.palette`, compiled when this module is imported."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from kg.compiled import compiled

__all__ = ["assigned", "chosen", "flat", "paints", "unexplained"]

_HASH = 2_654_435_769  # 2^32 over the golden ratio: spreads what lies side by side (Knuth)


def _paints(image: Any) -> Any:
    """Tell the colours of ``(height, width, 3)`` apart.

    Returns:
        ``(paints,)`` red, green and blue as one number, and ``(height, width)`` the paint of each
        pixel.
    """
    height, width = image.shape[:2]
    number = np.empty((height, width), np.int32)
    runs = 0
    for y in range(height):
        for x in range(width):
            red, green, blue = image[y, x, 0], image[y, x, 1], image[y, x, 2]
            code = (np.int32(red) << 16) | (np.int32(green) << 8) | np.int32(blue)
            runs += x == 0 or number[y, x - 1] != code
            number[y, x] = code
    bits = 4
    while 1 << bits < 2 * runs:
        bits += 1
    table = np.full(1 << bits, -1, np.int32)  # of paints, by their hash
    codes = np.empty(runs, np.int32)
    count = 0
    before, paint = np.int32(-1), np.int32(-1)
    for y in range(height):
        for x in range(width):
            code = number[y, x]
            if code != before:
                before = code
                slot = ((np.int64(code) * _HASH) >> 16) & ((1 << bits) - 1)
                while table[slot] >= 0 and codes[table[slot]] != code:
                    slot = (slot + 1) & ((1 << bits) - 1)
                if table[slot] < 0:
                    table[slot] = count
                    codes[count] = code
                    count += 1
                paint = table[slot]
            number[y, x] = paint
    return codes[:count].copy(), number  # in the order of first pixels


paints = compiled(
    _paints, "Tuple((int32[::1], int32[:, ::1]))(Array(uint8, 3, 'C', readonly=True))"
)


def _away_of(points: Any, one: Any, others: Any, other: Any) -> Any:
    """Return the distance of a row of an array from a row of another."""
    x = points[one, 0] - others[other, 0]
    y = points[one, 1] - others[other, 1]
    z = points[one, 2] - others[other, 2]
    return math.sqrt(x * x + y * y + z * z)


_away = numba.njit(_away_of)


def _flat(number: Any, lab: Any, same: Any) -> Any:
    """Find the pixels that agree with at least three of their four neighbours (outside agrees).

    Args:
        number: ``(height, width)`` the paint of each pixel.
        lab: ``(paints, 3)``.
        same: Distance under which two paints agree.

    Returns:
        ``(height, width)`` bool, and ``(2, paints)`` pixels that do not and that do.
    """
    height, width = number.shape
    agree = np.zeros((height, width), np.int8)
    for y in range(height):
        for x in range(width):
            agree[y, x] += (x == 0) + (x == width - 1) + (y == 0) + (y == height - 1)
            here = number[y, x]
            if x:
                there = number[y, x - 1]
                if here == there or _away(lab, here, lab, there) < same:
                    agree[y, x] += 1
                    agree[y, x - 1] += 1
            if y:
                there = number[y - 1, x]
                if here == there or _away(lab, here, lab, there) < same:
                    agree[y, x] += 1
                    agree[y - 1, x] += 1
    found = np.empty((height, width), np.bool_)
    counts = np.zeros((2, len(lab)), np.int64)
    for y in range(height):
        for x in range(width):
            found[y, x] = agree[y, x] >= 3
            counts[np.int64(found[y, x]), number[y, x]] += 1
    return found, counts


flat = compiled(
    _flat,
    "Tuple((boolean[:, ::1], int64[:, ::1]))(int32[:, ::1], float64[:, ::1], float64)",
)


def _chosen(lab: Any, counts: Any, order: Any, apart: Any, fewest: Any, most: Any) -> Any:
    """Return the first colours of an order that are apart, and stand for enough pixels."""
    free = np.ones(len(lab), np.bool_)
    found = np.empty(most, np.int64)
    size = 0
    for best in order:
        if not free[best]:
            continue
        pixels = 0
        for other in range(len(lab)):
            if free[other] and _away(lab, other, lab, best) < apart:
                free[other] = False
                pixels += counts[other]
        if pixels >= fewest:
            found[size] = best
            size += 1
        if size == most:
            break
    return found[:size].copy()


chosen = compiled(
    _chosen, "int64[::1](float64[:, ::1], int64[::1], int64[::1], float64, int64, int64)"
)


def _mixed_of(points: Any, point: Any, colours: Any, start: Any, end: Any) -> Any:
    """Return the distance of a point from the line between two colours, and how far along it is."""
    along = colours[end, 0] - colours[start, 0]
    up = colours[end, 1] - colours[start, 1]
    out = colours[end, 2] - colours[start, 2]
    x = points[point, 0] - colours[start, 0]
    y = points[point, 1] - colours[start, 1]
    z = points[point, 2] - colours[start, 2]
    share = (x * along + y * up + z * out) / max(along * along + up * up + out * out, 1e-9)
    share = min(max(share, 0.0), 1.0)
    x = points[point, 0] - (colours[start, 0] + share * along)
    y = points[point, 1] - (colours[start, 1] + share * up)
    z = points[point, 2] - (colours[start, 2] + share * out)
    return math.sqrt(x * x + y * y + z * z), share


_mixed = numba.njit(_mixed_of)


def _unexplained(points: Any, colours: Any, distance: Any, strange: Any) -> Any:
    """Tell which points are farther than `strange` from all colours and all lines between them.

    Args:
        points: ``(points, 3)`` in RGB.
        colours: ``(colours, 3)``.
        distance: ``(points,)`` from the nearest colour.
        strange: The limit.
    """
    found = np.empty(len(points), np.bool_)
    for point in range(len(points)):
        far = distance[point] > strange
        for first in range(len(colours)):
            if not far:
                break
            for second in range(first):
                away, _ = _mixed(points, point, colours, first, second)
                far = far and away > strange
        found[point] = far
    return found


unexplained = compiled(
    _unexplained, "boolean[::1](float64[:, ::1], float64[:, ::1], float64[::1], float64)"
)


def _assigned(
    number: Any, flat: Any, nearest: Any, far: Any, points: Any, colours: Any, reach: Any, mix: Any
) -> Any:
    """Return ``(height, width)`` the nearest colour, or that of the two which a pixel mixes.

    Args:
        number: ``(height, width)`` the paint of each pixel.
        flat: ``(height, width)`` what keeps its nearest colour.
        nearest: ``(paints,)``.
        far: ``(paints,)`` bool, not so near that it could be no mix.
        points: ``(paints, 3)`` in RGB.
        colours: ``(colours, 3)``, at most 64.
        reach: Pixels to each side in which the two colours have to lie flat.
        mix: Distance from the line between two colours under which a paint mixes them.
    """
    height, width = number.shape
    bits = np.zeros((height, width), np.uint64)
    found = np.empty((height, width), np.int16)
    for y in range(height):
        for x in range(width):
            found[y, x] = nearest[number[y, x]]
            if flat[y, x]:
                bits[y, x] = np.uint64(1) << np.uint64(found[y, x])
    for y in range(height):
        for x in range(width):
            point = number[y, x]
            if flat[y, x] or not far[point]:
                continue
            beside = np.uint64(0)
            for down in range(max(y - reach, 0), min(y + reach + 1, height)):
                for across in range(max(x - reach, 0), min(x + reach + 1, width)):
                    beside |= bits[down, across]
            kept = nearest[point]
            best = np.inf
            if (beside >> np.uint64(kept)) & np.uint64(1):
                best = _away(points, point, colours, kept)
            for first in range(len(colours)):
                if not (beside >> np.uint64(first)) & np.uint64(1):
                    continue
                for second in range(first):
                    if not (beside >> np.uint64(second)) & np.uint64(1):
                        continue
                    away, share = _mixed(points, point, colours, first, second)
                    if away < mix and away < best:
                        best = away
                        kept = np.int16(first if share < 0.5 else second)
            found[y, x] = kept
    return found


assigned = compiled(
    _assigned,
    "int16[:, ::1](int32[:, ::1], boolean[:, ::1], int16[::1], boolean[::1], float64[:, ::1], "
    "float64[:, ::1], int64, float64)",
)
