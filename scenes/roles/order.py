"""Order accuracy: how often a triplet is preferred to its swap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.roles.swaps import Swaps

__all__ = ["preferred"]

Floats = NDArray[np.float64]


def preferred(scores: Floats, swaps: Swaps) -> Floats:
    """Return for each triplet 1 where it beats its swap, 0.5 where they are equal, else 0.

    Args:
        scores: ``(rows, predicates)`` of the pairs from which the swaps were taken.
        swaps: From `scenes.roles.swaps.swap_negatives`.

    Example:
        >>> one = Swaps(rows=np.array([0]), predicates=np.array([1]), reversed=np.array([1]))
        >>> preferred(np.array([[0.0, -1.0], [0.0, -2.0]]), one).tolist()
        [1.0]
    """
    own, other = (scores[rows, swaps.predicates] for rows in (swaps.rows, swaps.reversed))
    result: Floats = ((own > other) + 0.5 * (own == other)).astype(np.float64)
    return result
