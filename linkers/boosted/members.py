"""Members of groups that lie one after the other in a flat array."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["members_of"]

Ids = NDArray[np.int64]


def members_of(starts: Ids, groups: Ids) -> tuple[Ids, Ids, Ids]:
    """Return the places of some groups' members, where each group's begin among them, and sizes.

    Args:
        starts: ``(groups + 1,)`` where each group begins in the flat array, and its end.
        groups: Which groups, in any order, one more than once too.

    Example:
        >>> places, begins, sizes = members_of(np.array([0, 2, 5]), np.array([1, 0]))
        >>> places.tolist(), begins.tolist(), sizes.tolist()
        ([2, 3, 4, 0, 1], [0, 3], [3, 2])
    """
    sizes = np.diff(starts)[groups]
    begins = np.cumsum(sizes) - sizes
    within = np.arange(int(sizes.sum())) - np.repeat(begins, sizes)
    return np.repeat(starts[groups], sizes) + within, begins, sizes
