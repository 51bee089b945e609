"""Remembers what was worked out for pairs of a text and a number, of the last so many texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from linkers.boosted.kept import Kept

__all__ = ["KeptPairs"]

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
_Part = tuple[NDArray[np.int32], Floats]

_ENOUGH = 128  # pairs of a text, after which no more are kept


class KeptPairs:
    """Values of pairs; the texts that came first go first.

    Args:
        most: Texts remembered.
        width: Values of a pair.

    Example:
        >>> kept, numbers, where = KeptPairs(2, width=1), np.array([3, 5]), np.array([0, 0])
        >>> kept.of(["a"], numbers, where, 6, lambda asked: numbers[asked, None] / 2).ravel()
        array([1.5, 2.5], dtype=float32)
        >>> kept.of(["a"], numbers[:1], where[:1], 6, lambda asked: []).ravel()
        array([1.5], dtype=float32)
    """

    def __init__(self, most: int, *, width: int) -> None:
        self._kept: Kept[list[_Part]] = Kept(most)
        self._nothing: _Part = (np.zeros(0, np.int32), np.zeros((0, width), np.float32))

    def of(
        self,
        texts: Sequence[str],
        numbers: Ids,
        where: Ids,
        size: int,
        make: Callable[[Ids], Floats],
    ) -> Floats:
        """Return ``(pairs, width)`` values.

        Args:
            texts: The texts.
            numbers: ``(pairs,)`` the number of each pair, each once for a place of `texts`.
            where: ``(pairs,)`` the place of its text, ascending.
            size: One more than the largest number there may be.
            make: Works the values out of those pairs, by place, that are not known; not asked
                where all are.
        """
        # what it needs takes half a second to come, and most commands link nothing
        from linkers.boosted.place_loops import places

        bounds = np.searchsorted(where, np.arange(len(texts) + 1))
        groups = self._kept.of(texts, lambda fresh: [[] for _ in fresh])
        parts = [part for group in groups for part in group]
        known, values = (np.concatenate(both) for both in zip(self._nothing, *parts, strict=True))
        sizes = [sum(len(there) for there, _ in group) for group in groups]
        place = places(known, np.cumsum([0, *sizes]), numbers, bounds, size)
        found: Floats = np.empty((len(numbers), values.shape[1]), dtype=np.float32)
        held, wanted = np.flatnonzero(place >= 0), np.flatnonzero(place < 0)
        found[held] = values[place[held]]
        if len(wanted):
            fresh = np.asarray(make(wanted), dtype=np.float32)
            found[wanted] = fresh
            self._keep(groups, numbers[wanted].astype(np.int32), fresh, where[wanted])
        return found

    @staticmethod
    def _keep(
        groups: list[list[_Part]], numbers: NDArray[np.int32], values: Floats, where: Ids
    ) -> None:
        """Keep what is new of each text, as parts of two arrays for the whole block.

        Small arrays of their own would lie between the large ones that come and go with a block.
        """
        rows, starts = np.unique(where, return_index=True)
        ends = [*starts[1:].tolist(), len(where)]
        told: set[int] = set()  # a text may come twice
        for row, start, end in zip(rows.tolist(), starts.tolist(), ends, strict=True):
            group = groups[row]
            if id(group) not in told and sum(len(there) for there, _ in group) < _ENOUGH:
                told.add(id(group))
                group.append((numbers[start:end], values[start:end]))
