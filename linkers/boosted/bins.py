"""The values of each column in at most 255 bins, as scikit-learn's trees see them.

Its trees ask only in which bin a value lies. To weigh the pairs, scikit-learn sorts a column anew
for each of its 254 thresholds, which took twenty times as long as growing the trees; here a column
is sorted once. The thresholds are the same (Hyndman and Fan, The American Statistician 1996, the
averaged inverse of the weighted distribution), so the trees are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_ROWS", "Bins"]

MOST_ROWS = 200_000
"""Rows above which scikit-learn looks at a drawn part of them, without weights, and is quick."""
_BINS = 255
_RANKS = np.linspace(0, 100, num=_BINS + 1)[1:-1] / 100
_LARGEST = 1e300  # infinity stands for "absent or not"

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bins:
    """Values as numbers of bins.

    Attributes:
        codes: ``(n, columns)`` the bin of each value, from 0; NaN where it is absent.
        thresholds: Of each column and each of its bins but the last: the largest value in it.
    """

    codes: NDArray[np.float32]
    thresholds: tuple[Doubles, ...]

    @classmethod
    def of(cls, values: NDArray[np.float32], weights: NDArray[np.float32]) -> Bins:
        """Sort values into bins that weigh about the same.

        Args:
            values: ``(n, columns)``; NaN is an absent value, and no column has only those.
            weights: ``(n,)``, above 0.

        Example:
            >>> ones = np.ones(3, np.float32)
            >>> Bins.of(np.array([[1], [3], [np.nan]], np.float32), ones).thresholds
            (array([2.]),)
        """
        codes = np.full(values.shape, np.nan, dtype=np.float32)
        found = []
        for column in range(values.shape[1]):
            present = np.flatnonzero(~np.isnan(values[:, column]))
            known = values[present, column].astype(np.float64)
            thresholds = _thresholds(known, weights[present].astype(np.float64))
            filled, places = np.unique(np.searchsorted(thresholds, known), return_inverse=True)
            codes[present, column] = places
            found.append(thresholds[filled[:-1]])  # a bin that holds nothing is none
        return cls(codes, tuple(found))


def _thresholds(values: Doubles, weights: Doubles) -> Doubles:
    order = np.argsort(values)
    ordered = values[order]
    distinct = np.unique(ordered)
    if len(distinct) <= _BINS:
        middle: Doubles = np.minimum((distinct[:-1] + distinct[1:]) / 2, _LARGEST)
        return middle
    upto = np.cumsum(weights[order])
    wanted = _RANKS * upto[-1]
    last = len(ordered) - 1
    place = np.minimum(np.searchsorted(upto, wanted), last)
    beside = np.where(upto[place] - wanted > np.finfo(np.float64).eps, place, place + 1)
    pair = ordered[place] + ordered[np.minimum(beside, last)]
    return np.unique(np.minimum(pair / 2, _LARGEST))
