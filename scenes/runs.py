"""Runs: neighbouring equal values of a row as one. A drawing has few, so work on runs is cheap.

`ndimage.label` looks at every pixel of every colour; a flag of 256 x 192 pixels has some thousand
runs, and what holds of a run holds of all of its pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["Runs", "components"]

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """The runs of an array, row by row.

    Attributes:
        begins: ``(height, width)`` bool, the pixels at which a run begins.
        number: ``(height, width)`` the number of each pixel's run.
        values: ``(runs,)`` the value of each.
        lengths: ``(runs,)`` its pixels.
    """

    begins: Mask
    number: NDArray[np.int32]
    values: NDArray[Any]
    lengths: Integers

    @classmethod
    def of(cls, array: NDArray[Any]) -> Self:
        """Find the runs of ``(height, width)`` values.

        Example:
            >>> runs = Runs.of(np.array([[7, 7, 2], [2, 2, 2]]))
            >>> runs.values.tolist(), runs.lengths.tolist()
            ([7, 2, 2], [2, 1, 3])
        """
        begins = np.ones(array.shape, dtype=bool)
        np.not_equal(array[:, 1:], array[:, :-1], out=begins[:, 1:])
        starts = np.flatnonzero(begins)
        number = np.cumsum(begins.ravel(), dtype=np.int32).reshape(array.shape) - 1
        lengths = np.diff(starts, append=array.size)
        return cls(begins, number, array.ravel()[starts], lengths)

    def joined(self) -> Integers:
        """Return ``(n, 2)`` runs of one value that share an edge, the upper one first."""
        # two runs begin to lie over one another where one of them begins
        return self._alike(
            np.flatnonzero(self.begins[:-1] | self.begins[1:]), self.number[:-1], self.number[1:]
        )

    def joined_at_corners(self) -> Integers:
        """Return ``(n, 2)`` runs of one value that share a corner and no edge there."""
        places = np.flatnonzero(self.begins[:-1, 1:] & self.begins[1:, 1:])
        falling = self._alike(places, self.number[:-1, :-1], self.number[1:, 1:])
        rising = self._alike(places, self.number[:-1, 1:], self.number[1:, :-1])
        return np.concatenate([falling, rising])

    def _alike(
        self, places: Integers, upper: NDArray[np.int32], lower: NDArray[np.int32]
    ) -> Integers:
        """Return the runs at some places of two parts of the array, where their values agree."""
        place = np.unravel_index(places, upper.shape)
        runs = np.stack([upper[place], lower[place]], axis=1).astype(np.int64)
        found: Integers = runs[self.values[runs[:, 0]] == self.values[runs[:, 1]]]
        return found


def components(count: int, edges: Integers) -> Integers:
    """Return the connected component of each node, numbered by their first nodes.

    Args:
        count: Nodes.
        edges: ``(n, 2)``.
    """
    if not len(edges):
        return np.arange(count)
    graph = coo_array((np.ones(len(edges), dtype=bool), tuple(edges.T)), shape=(count, count))
    _, group = connected_components(graph, directed=False)
    _, first = np.unique(group, return_index=True)
    place = np.empty(len(first), dtype=np.int64)
    place[np.argsort(first)] = np.arange(len(first))
    found: Integers = place[group]
    return found
