"""Loops over the pixels of a map of numbers, compiled when this module is imported.

A pass over the pixels of a picture costs less than the calls to numpy that a piece needs.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from kg.compiled import compiled

__all__ = ["boxes", "covered", "groups", "mark", "pieces", "shared_edges", "touching"]

_SEEN = 256  # pairs that are remembered, so that most are told once


def _root_of(parent: Any, node: Any) -> Any:
    """Return the first node that a node is joined to, and shorten the way there."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


_root = numba.njit(_root_of)


def _join_of(parent: Any, one: Any, other: Any) -> Any:
    """Join two nodes; the first of all that are joined stays their root."""
    first, second = _root(parent, one), _root(parent, other)
    if first < second:
        parent[second] = first
    elif second < first:
        parent[first] = second


_join = numba.njit(_join_of)


def _groups(count: Any, edges: Any) -> Any:
    """Return ``(count,)`` the first node that each node is joined to by ``(n, 2)`` edges."""
    parent = np.arange(count)
    for row in range(len(edges)):
        _join(parent, edges[row, 0], edges[row, 1])
    for node in range(count):  # a root comes before what is joined to it
        parent[node] = parent[parent[node]]
    return parent


groups = compiled(_groups, "int64[::1](int64, int64[:, ::1])")


def _runs_of(layers: Any, number: Any) -> Any:
    """Number the runs of equal values of each row in place, and return how many there are."""
    height, width = layers.shape
    count = 0
    for y in range(height):
        for x in range(width):
            if x == 0 or layers[y, x] != layers[y, x - 1]:
                count += 1
            number[y, x] = count - 1
    return count


_runs = numba.njit(_runs_of)


def _joined_of(layers: Any, number: Any, count: Any) -> Any:
    """Return the first run that each run is joined to over edges."""
    parent = np.arange(count)
    for y in range(1, layers.shape[0]):
        for x in range(layers.shape[1]):
            if layers[y, x] != layers[y - 1, x]:
                continue
            # two runs lie over one another first where one of them begins
            begins = x == 0 or number[y, x] != number[y, x - 1]
            if begins or number[y - 1, x] != number[y - 1, x - 1]:
                _join(parent, number[y, x], number[y - 1, x])
    for run in range(count):
        parent[run] = parent[parent[run]]
    return parent


_joined = numba.njit(_joined_of)


def _pieces(layers: Any, most_small: Any) -> Any:
    """Find the pieces of `scenes.components.connected_pieces`.

    Args:
        layers: ``(height, width)``.
        most_small: Pixels of the largest small piece.

    Returns:
        ``(height, width)`` numbers in the order of first pixels, and of each piece its value,
        whether it is small, and its pixels.
    """
    height, width = layers.shape
    number = np.empty((height, width), np.int32)
    count = _runs(layers, number)
    parent = _joined(layers, number, count)
    sizes = np.zeros(count, np.int64)
    for y in range(height):
        for x in range(width):
            sizes[parent[number[y, x]]] += 1
    joined = np.arange(count)
    for y in range(1, height):
        for x in range(1, width):
            for side in range(2):
                upper, lower = x - 1 + side, x - side
                if layers[y - 1, upper] != layers[y, lower]:
                    continue
                one, other = parent[number[y - 1, upper]], parent[number[y, lower]]
                if one != other and sizes[one] <= most_small and sizes[other] <= most_small:
                    _join(joined, one, other)
    place = np.full(count, -1, np.int32)
    found = 0
    for run in range(count):
        root = _root(joined, parent[run])
        if place[root] < 0:
            place[root] = found
            found += 1
        place[run] = place[root]
    values = np.empty(found, layers.dtype)
    small = np.empty(found, np.bool_)
    areas = np.zeros(found, np.int64)
    for y in range(height):
        for x in range(width):
            run = number[y, x]
            piece = place[run]
            if areas[piece] == 0:
                values[piece] = layers[y, x]
                small[piece] = sizes[parent[run]] <= most_small
            areas[piece] += 1
            number[y, x] = piece
    return number, values, small, areas


pieces = compiled(
    _pieces,
    "Tuple((int32[:, ::1], int16[::1], boolean[::1], int64[::1]))"
    "(Array(int16, 2, 'C', readonly=True), float64)",
)


def _touching(numbers: Any, count: Any) -> Any:
    """Return ``smaller * count + larger`` of numbers that share an edge; few of them twice."""
    height, width = numbers.shape
    seen = np.full(_SEEN, -1, np.int64)
    found = []
    for y in range(height):
        for x in range(width):
            for side in range(2):
                if (side == 0 and x == 0) or (side == 1 and y == 0):
                    continue
                one = np.int64(numbers[y, x])
                other = np.int64(numbers[y, x - 1] if side == 0 else numbers[y - 1, x])
                if one == other:
                    continue
                code = min(one, other) * count + max(one, other)
                if seen[code % _SEEN] != code:
                    seen[code % _SEEN] = code
                    found.append(code)
    codes = np.empty(len(found), np.int64)
    for place in range(len(found)):
        codes[place] = found[place]
    return codes


touching = compiled(_touching, "int64[::1](Array(int32, 2, 'C', readonly=True), int64)")


def _shared_edges(numbers: Any, count: Any) -> Any:
    """Return ``(count, count)`` pixel edges that two numbers share; negative ones are nobody's."""
    shared = np.zeros((count, count), np.float64)
    height, width = numbers.shape
    for y in range(height):
        for x in range(width):
            one = numbers[y, x]
            if one < 0:
                continue
            if x and numbers[y, x - 1] != one and numbers[y, x - 1] >= 0:
                shared[one, numbers[y, x - 1]] += 1
                shared[numbers[y, x - 1], one] += 1
            if y and numbers[y - 1, x] != one and numbers[y - 1, x] >= 0:
                shared[one, numbers[y - 1, x]] += 1
                shared[numbers[y - 1, x], one] += 1
    return shared


shared_edges = compiled(
    _shared_edges, "float64[:, ::1](Array(int32, 2, 'C', readonly=True), int64)"
)


def _boxes(numbers: Any, count: Any) -> Any:
    """Return ``(count, 4)`` left, top, right, bottom of each number; 0 where there is none."""
    found = np.zeros((count, 4), np.int64)
    height, width = numbers.shape
    for y in range(height):
        for x in range(width):
            if x and numbers[y, x] == numbers[y, x - 1]:
                if x == width - 1 or numbers[y, x + 1] != numbers[y, x]:
                    box = found[numbers[y, x]]
                    box[2] = max(box[2], x + 1)
                continue
            box = found[numbers[y, x]]
            if box[2] == 0:
                box[0], box[1] = x, y
            box[0] = min(box[0], x)
            box[2] = max(box[2], x + 1)
            box[3] = y + 1
    return found


boxes = compiled(_boxes, "int64[:, ::1](Array(int32, 2, 'C', readonly=True), int64)")


def _mark(numbers: Any, mask: Any, box: Any, number: Any) -> Any:
    """Write a number where a mask is, which lies in a box (left, top, right, bottom)."""
    for y in range(box[1], box[3]):
        for x in range(box[0], box[2]):
            if mask[y, x]:
                numbers[y, x] = number


mark = compiled(
    _mark,
    "void(int32[:, ::1], Array(boolean, 2, 'C', readonly=True), UniTuple(int64, 4), int64)",
)


def _covered(mask: Any, box: Any, rows: Any, columns: Any, counts: Any) -> Any:
    """Count the pixels of a mask in each cell of a grid.

    Args:
        mask: ``(height, width)``.
        box: Around it: left, top, right, bottom.
        rows: ``(height,)`` the first cell of each row's cells.
        columns: ``(width,)`` the cell of each column, from there on.
        counts: ``(cells,)`` to add to.
    """
    for y in range(box[1], box[3]):
        for x in range(box[0], box[2]):
            counts[rows[y] + columns[x]] += mask[y, x]


covered = compiled(
    _covered,
    "void(Array(boolean, 2, 'C', readonly=True), UniTuple(int64, 4), int64[::1], int64[::1], "
    "int64[::1])",
)
