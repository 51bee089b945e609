"""What like classes say: shares of predicates of a pair, counted over pairs of classes alike.

Few pairs of classes were seen with a rare predicate, but their like were: who carries a bag may
carry a backpack. The count of two classes is lent to every pair of classes by how like the subjects
are, times how like the objects are ::

    log weight = (Σ √(p q) - 1) / 0.1 + (cos(u, v) - 1) / 0.4

p and q are the shares of predicates that each class has on that side (Bhattacharyya 1943), u and v
the vectors of the names. The first says that two classes are used alike, the second that they are
alike; either alone does worse. This is kernel regression (Nadaraya, Watson 1964) over classes.
Both widths were chosen on folds of VRD's train, by what a mix of the shares with the networks of
`scenes.relations.network` finds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.relations.counts import TripletCounts

__all__ = ["like_shares"]

Floats = NDArray[np.float64]

_USE, _NAME = 0.1, 0.4  # widths
_OF_CLASS = 10.0  # triplets by which the shares of a class are smoothed
_OF_PAIR = 3.0  # the same of a pair of classes
_BLOCK = 256  # pairs of classes at once


def like_shares(counts: TripletCounts, vectors: NDArray[Any], labels: NDArray[np.int64]) -> Floats:
    """Return the shares of predicates among triplets of like classes, as natural logarithms.

    Args:
        counts: Of the training images.
        vectors: ``(classes, parts)`` of the names of classes.
        labels: ``(rows, 2)`` classes of subject and object.

    Returns:
        ``(rows, predicates)``.

    Example:
        >>> counts = TripletCounts(classes=np.array([[0, 1]]), said=np.array([[9.0, 0.0]]),
        ...                        pairs=np.array([9.0]), objects=3)
        >>> names = np.array([[1.0, 0.0], [0.0, 1.0], [0.1, 1.0]])
        >>> shares = np.exp(like_shares(counts, names, np.array([[0, 1], [0, 2], [1, 0]])))
        >>> [bool(row[0] > row[1]) for row in shares], bool(shares[0, 0] > shares[1, 0])
        ([True, True, True], True)
    """
    overall = counts.by_predicate + 1
    overall /= overall.sum()
    asked, place = np.unique(labels, axis=0, return_inverse=True)
    sides = [_Side(counts, overall, vectors, side, np.unique(asked[:, side])) for side in (0, 1)]
    shares = np.empty((len(asked), len(overall)))
    for start in range(0, len(asked), _BLOCK):
        block = asked[start : start + _BLOCK]
        weight = sides[0].weights(block[:, 0]) * sides[1].weights(block[:, 1])
        lent = weight @ counts.said
        shares[start : start + _BLOCK] = (lent + _OF_PAIR * overall) / (
            lent.sum(axis=1, keepdims=True) + _OF_PAIR
        )
    found: Floats = np.log(shares)[place.reshape(-1)]
    return found


class _Side:
    """How like the subjects, or the objects, of counted pairs are to some classes.

    Args:
        counts: Of the training images.
        overall: ``(predicates,)`` shares of all.
        vectors: Of the names.
        side: 0 for subjects, 1 for objects.
        classes: Sorted; those that are asked for.
    """

    def __init__(
        self,
        counts: TripletCounts,
        overall: Floats,
        vectors: NDArray[Any],
        side: int,
        classes: NDArray[np.int64],
    ) -> None:
        said = np.zeros((counts.objects, len(overall)))
        np.add.at(said, counts.classes[:, side], counts.said)
        shares = (said + _OF_CLASS * overall) / (said.sum(axis=1, keepdims=True) + _OF_CLASS)
        used = np.sqrt(shares)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        named = vectors / np.where(length > 0, length, 1.0)
        like = (used[classes] @ used.T - 1) / _USE + (named[classes] @ named.T - 1) / _NAME
        self._classes = classes
        self._weights = np.exp(like)[:, counts.classes[:, side]]

    def weights(self, classes: NDArray[np.int64]) -> Floats:
        """Return ``(classes, counted pairs)``."""
        found: Floats = self._weights[np.searchsorted(self._classes, classes)]
        return found
