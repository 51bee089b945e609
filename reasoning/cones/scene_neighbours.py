"""Which parts of its image a part attends to: those it has a predicate with, then the nearest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["count_before", "scene_neighbours"]

Ids = NDArray[np.int64]


def scene_neighbours(
    edges: Ids, images: Ids, centres: NDArray[np.float32], width: int
) -> tuple[Ids, Ids]:
    """Return up to `width` neighbours of each part, with what is known between the two.

    Where a part has more predicates, the first of each predicate stay, so that one does not fill
    the row. Near parts come from `width` on either side in the order of the centres from left to
    right, which are all others of an image of up to `width` + 1 parts: work grows with the number
    of parts, never with its square.

    Args:
        edges: ``(m, 3)`` row, relation id, row; of one image each.
        images: ``(n,)`` which image a part belongs to.
        centres: ``(n, 2)`` of the boxes.
        width: Most neighbours.

    Returns:
        ``(n, width)`` rows, -1 where there is none, and ``(n, width)`` directed relations from the
        part to that neighbour, -1 where none is known.

    Example:
        >>> edges, at = np.array([[0, 4, 1]]), np.zeros((3, 2), np.float32)
        >>> rows, relations = scene_neighbours(edges, np.zeros(3, np.int64), at, 2)
        >>> rows.tolist(), relations.tolist()
        ([[1, 2], [0, 2], [0, 1]], [[8, -1], [9, -1], [-1, -1]])
    """
    count = len(images)
    told = np.concatenate([edges[:, [0, 2]], edges[:, [2, 0]]])
    codes = np.concatenate([2 * edges[:, 1], 2 * edges[:, 1] + 1])
    order = np.lexsort((told[:, 1], codes, told[:, 0]))
    told, codes = told[order], codes[order]
    # how many of the same predicate come before: the first of each predicate go in first
    within = count_before(told[:, 0] * (codes.max(initial=0) + 1) + codes)
    near = _near(images, centres, width)
    near = near[~np.isin(near @ np.array([count, 1]), told @ np.array([count, 1]))]
    away = np.square(centres[near[:, 0]] - centres[near[:, 1]]).sum(1)
    pairs = np.concatenate([told, near])
    codes = np.concatenate([codes, np.full(len(near), -1)])
    late = within.max(initial=0) + 1.0
    priority = np.concatenate([within, late + away])
    order = np.lexsort((pairs[:, 1], codes, priority, pairs[:, 0]))
    pairs, codes = pairs[order], codes[order]
    place = count_before(pairs[:, 0])
    kept = place < width
    neighbours = np.full((count, width), -1, dtype=np.int64)
    predicates = np.full((count, width), -1, dtype=np.int64)
    neighbours[pairs[kept, 0], place[kept]] = pairs[kept, 1]
    predicates[pairs[kept, 0], place[kept]] = codes[kept]
    return neighbours, predicates


def _near(images: Ids, centres: NDArray[np.float32], width: int) -> Ids:
    """Return pairs of parts of one image, at most 2 · `width` a part."""
    order = np.lexsort((centres[:, 0], images))
    found = [np.empty((0, 2), dtype=np.int64)]
    for shift in range(1, min(width, len(order) - 1) + 1):
        one, other = order[:-shift], order[shift:]
        same = images[one] == images[other]
        found.append(np.stack([one[same], other[same]], axis=1))
        found.append(np.stack([other[same], one[same]], axis=1))
    return np.concatenate(found)


def count_before(ascending: Ids) -> Ids:
    """Return, for each place of a sorted array, how many equal values stand before it."""
    _, first, inverse = np.unique(ascending, return_index=True, return_inverse=True)
    return np.arange(len(ascending), dtype=np.int64) - first[inverse]
