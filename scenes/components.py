"""Connected pieces of one colour: fragments dissolved, small touching pieces found together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scenes import piece_loops

__all__ = ["clusters_of_small", "connected_pieces", "dissolve_fragments", "touching_pairs"]

Numbers = NDArray[np.int32]
_CLOSE = 6  # pixels


def connected_pieces(layers: NDArray[np.int16], *, small: float = 0.0) -> tuple[Numbers, int]:
    """Number the connected pieces of each layer.

    Args:
        layers: ``(height, width)``, the colour number of each pixel.
        small: Pieces of at most this share of the image are joined over corners too, so that a
            rim of one pixel is one piece; larger ones are joined over edges only, so that bands
            which meet in a point stay apart.

    Returns:
        ``(height, width)`` piece numbers from 0, and how many pieces there are: by colour, the
        small ones first, then by their first pixels.
    """
    pieces, sizes = _pieces(layers, small)
    return pieces, len(sizes)


def _pieces(layers: NDArray[np.int16], small: float) -> tuple[Numbers, NDArray[np.int64]]:
    """Return the pieces of `connected_pieces`, and the pixels of each."""
    place, values, is_small, sizes = piece_loops.pieces(
        np.ascontiguousarray(layers), small * layers.size
    )
    order = np.lexsort((~is_small, values))  # stable: first pixels come first as they are
    number = np.empty(len(order), dtype=np.int32)
    number[order] = np.arange(len(order))
    return number[place], sizes[order]


def dissolve_fragments(
    layers: NDArray[np.int16], *, fewest: int, small: float = 0.0
) -> tuple[NDArray[np.int16], Numbers, int]:
    """Give the pixels of pieces under `fewest` pixels to the nearest larger piece.

    `small` as in `connected_pieces`.

    Returns:
        The layers, and their pieces as `connected_pieces` gives them.
    """
    pieces, sizes = _pieces(layers, small)
    under = sizes < fewest
    if not under.any() or under.all():
        return layers, pieces, len(sizes)
    lost = under[pieces]
    result = layers.copy()
    rows, columns = np.nonzero(lost)
    # what is nearest lies close by: look there first, in all of the image only where it does not
    for margin in (_CLOSE, max(layers.shape)):
        top, left = (max(int(side.min()) - margin, 0) for side in (rows, columns))
        part = np.s_[top : rows.max() + margin + 1, left : columns.max() + margin + 1]
        down, across = ndimage.distance_transform_edt(
            lost[part], return_distances=False, return_indices=True
        )[:, rows - top, columns - left]
        if np.hypot(down + top - rows, across + left - columns).max() <= margin:
            result[rows, columns] = layers[down + top, across + left]
            break
    return result, *connected_pieces(result, small=small)


def touching_pairs(pieces: Numbers) -> NDArray[np.int32]:
    """Return ``(pairs, 2)`` numbers of pieces that share an edge, smaller number first, sorted."""
    count = int(pieces.max(initial=0)) + 1
    codes = piece_loops.touching(np.ascontiguousarray(pieces, dtype=np.int32), count)
    return np.stack(np.divmod(np.unique(codes), count), axis=1).astype(np.int32)


def clusters_of_small(
    pieces: Numbers, count: int, *, small: float, absorbed: float, members: int
) -> list[list[int]]:
    """Find groups of small pieces that touch each other.

    Args:
        pieces: Piece number of each pixel.
        count: How many pieces there are.
        small: Largest area of a piece that can found a group, as a share of the image.
        absorbed: Largest area of a piece that a group takes in when the piece touches it and lies
            in its box.
        members: Fewest founding pieces of a group.

    Returns:
        Sorted piece numbers of each group, groups by their first number.
    """
    sizes = np.bincount(pieces.ravel(), minlength=count) / pieces.size
    pairs = touching_pairs(pieces)
    is_small = sizes <= small
    edges = pairs[is_small[pairs].all(axis=1)]
    group = piece_loops.groups(count, edges.astype(np.int64))
    founders = np.flatnonzero(np.bincount(group[is_small], minlength=count) >= members).tolist()
    if not founders:
        return []
    result = []
    boxes = piece_loops.boxes(np.ascontiguousarray(pieces, dtype=np.int32), count).tolist()
    for number in founders:
        founding = set(np.flatnonzero((group == number) & is_small).tolist())
        result.append(sorted(_absorb(founding, pairs, boxes, sizes <= absorbed)))
    return _disjoint(sorted(result))


def _absorb(
    group: set[int],
    pairs: NDArray[np.int32],
    boxes: list[list[int]],
    may_join: NDArray[np.bool_],
) -> set[int]:
    """Add pieces that touch the group and lie inside its box (one pixel of slack)."""
    left, top = (min(boxes[i][side] for i in group) - 1 for side in (0, 1))
    right, bottom = (max(boxes[i][side] for i in group) + 1 for side in (2, 3))
    grown = set(group)
    while True:
        inside = np.isin(pairs, list(grown))
        beside = set(pairs[inside.any(axis=1)].ravel().tolist()) - grown
        fresh = {
            i
            for i in beside
            if may_join[i]
            and boxes[i][0] >= left
            and boxes[i][1] >= top
            and boxes[i][2] <= right
            and boxes[i][3] <= bottom
        }
        if not fresh:
            return grown
        grown |= fresh


def _disjoint(groups: list[list[int]]) -> list[list[int]]:
    """Join groups that share a piece."""
    result: list[set[int]] = []
    for group in map(set, groups):
        joined = set(group)
        apart = []
        for other in result:
            if other & joined:
                joined |= other
            else:
                apart.append(other)
        result = [*apart, joined]
    return sorted(sorted(group) for group in result)
