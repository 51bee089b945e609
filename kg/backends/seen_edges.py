"""Which edges of a load may have come before, by 64-bit hashes: eight bytes an edge.

Two different edges can have one hash: what is told is a suspicion, which the caller looks into.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["SeenEdges"]


class SeenEdges:
    """Hashes in sorted runs; a run is merged into the one before it when it is half as large.

    Example:
        >>> seen = SeenEdges()
        >>> seen.suspects(np.array([7, 9, 7])).tolist()
        [False, False, True]
        >>> seen.suspects(np.array([8, 9])).tolist()
        [False, True]
    """

    def __init__(self) -> None:
        self._runs: list[NDArray[np.int64]] = []

    def suspects(self, hashes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Note hashes and tell which of them came before, in this call or an earlier one."""
        run, first = np.unique(hashes, return_index=True)
        found = np.ones(len(hashes), dtype=bool)
        found[first] = False
        for earlier in self._runs:
            places = np.searchsorted(earlier, hashes)
            places[places == len(earlier)] = 0
            found |= earlier[places] == hashes
        if len(run):
            self._runs.append(run)
        while len(self._runs) > 1 and 2 * len(self._runs[-1]) > len(self._runs[-2]):
            last = self._runs.pop()
            both = np.concatenate([self._runs.pop(), last])
            both.sort(kind="stable")
            self._runs.append(both)
        return found
