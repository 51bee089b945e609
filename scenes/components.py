"""Connected pieces of one colour: fragments dissolved, small touching pieces found together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from scenes.runs import Runs, components

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
    runs = Runs.of(layers)
    piece = components(len(runs.values), runs.joined())
    is_small = np.bincount(piece, weights=runs.lengths) <= small * layers.size
    corners = piece[runs.joined_at_corners()]
    count = int(piece.max(initial=-1)) + 1
    group = components(count, corners[is_small[corners].all(axis=1)])
    _, first = np.unique(group[piece], return_index=True)  # the first run of each group
    order = np.lexsort((first, ~is_small[piece[first]], runs.values[first]))
    number = np.empty(len(order), dtype=np.int32)
    number[order] = np.arange(len(order))
    return number[group[piece]][runs.number], len(order)


def dissolve_fragments(
    layers: NDArray[np.int16], *, fewest: int, small: float = 0.0
) -> tuple[NDArray[np.int16], Numbers, int]:
    """Give the pixels of pieces under `fewest` pixels to the nearest larger piece.

    `small` as in `connected_pieces`.

    Returns:
        The layers, and their pieces as `connected_pieces` gives them.
    """
    pieces, count = connected_pieces(layers, small=small)
    sizes = np.bincount(pieces.ravel(), minlength=count)
    lost = (sizes < fewest)[pieces]
    if not lost.any() or lost.all():
        return layers, pieces, count
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
    codes = []
    count = int(pieces.max(initial=0)) + 1
    for one, other in ((pieces[1:], pieces[:-1]), (pieces[:, 1:], pieces[:, :-1])):
        differ = one != other
        a, b = one[differ].astype(np.int64), other[differ]
        codes.append(np.minimum(a, b) * count + np.maximum(a, b))
    pairs = np.stack(np.divmod(np.unique(np.concatenate(codes)), count), axis=1)
    return pairs.astype(np.int32)


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
    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count))
    _, group = connected_components(graph, directed=False)
    sizes_of_groups = np.bincount(group[is_small], minlength=count)
    result = []
    slices = ndimage.find_objects(pieces + 1)
    for number in np.flatnonzero(sizes_of_groups >= members).tolist():
        founding = set(np.flatnonzero((group == number) & is_small).tolist())
        result.append(sorted(_absorb(founding, pairs, slices, sizes <= absorbed)))
    return _disjoint(sorted(result))


def _absorb(
    group: set[int],
    pairs: NDArray[np.int32],
    slices: list[tuple[slice, slice]],
    may_join: NDArray[np.bool_],
) -> set[int]:
    """Add pieces that touch the group and lie inside its box (one pixel of slack)."""
    top = min(slices[i][0].start for i in group) - 1
    bottom = max(slices[i][0].stop for i in group) + 1
    left = min(slices[i][1].start for i in group) - 1
    right = max(slices[i][1].stop for i in group) + 1
    grown = set(group)
    while True:
        inside = np.isin(pairs, list(grown))
        beside = set(pairs[inside.any(axis=1)].ravel().tolist()) - grown
        fresh = {
            i
            for i in beside
            if may_join[i]
            and slices[i][0].start >= top
            and slices[i][0].stop <= bottom
            and slices[i][1].start >= left
            and slices[i][1].stop <= right
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
