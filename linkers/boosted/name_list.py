"""Names of many entities, flat, and the best of each entity's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["NameList", "top"]

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


class NameList:
    """Names of entities one after the other: first the first name of each, then the second ones.

    Args:
        names: Names of each entity, at least one.
    """

    def __init__(self, names: Sequence[Sequence[str]]) -> None:
        self.flat: list[str] = []
        self.owners: Ids = np.zeros(0, dtype=np.int64)
        self._levels: list[tuple[int, int]] = []
        self._size = 0
        self.add(names)

    def add(self, names: Sequence[Sequence[str]]) -> None:
        """Append the names of further entities."""
        owners: list[int] = []
        before = len(self.flat)
        for level in range(max(map(len, names))):
            start = len(self.flat)
            for owner, group in enumerate(names, self._size):
                if level < len(group):
                    self.flat.append(group[level])
                    owners.append(owner)
            self._levels.append((start, len(self.flat)))
        self.owners = np.concatenate([self.owners, np.array(owners, dtype=np.int64)])
        self._size += len(names)
        self.single = len(self.flat) == self._size
        """Whether each entity has one name: then a name's place is its entity's id."""
        if before == 0 or not self.single:
            self._order = np.argsort(self.owners, kind="stable")
            self._starts = np.searchsorted(self.owners[self._order], np.arange(self._size + 1))
        else:
            self._order = self.owners
            self._starts = np.arange(self._size + 1)

    def firsts(self, ids: Ids) -> Ids:
        """Return the first name of each entity."""
        return self._order[self._starts[ids]]

    def best(self, values: Floats) -> Floats:
        """Return ``(n, N)``: the best of each entity's names, of ``(n, F)`` values of names."""
        if self.single:
            return values
        levels = self._levels
        if levels[0][1] == self._size:  # all entities came together: their first names lead
            found, levels = values[:, : self._size].copy(), levels[1:]
        else:
            found = np.full((len(values), self._size), -np.inf, dtype=np.float32)
        for start, end in levels:
            owners = self.owners[start:end]
            found[:, owners] = np.maximum(found[:, owners], values[:, start:end])
        return found

    def of(self, ids: Ids) -> tuple[Ids, Ids]:
        """Return the names of entities, and where each one's begin among them."""
        if self.single:
            return ids, np.arange(len(ids))
        counts = self._starts[ids + 1] - self._starts[ids]
        starts = np.cumsum(counts) - counts
        places = np.arange(int(counts.sum())) - np.repeat(starts, counts)
        return self._order[np.repeat(self._starts[ids], counts) + places], starts


def top(values: Floats, count: int) -> Ids:
    """Return ``(n, count)`` columns of the highest values, best first; ties by the lower column."""
    import torch

    count = min(count, values.shape[1])
    best = torch.topk(torch.from_numpy(np.ascontiguousarray(values)), count, dim=1, sorted=False)
    some = np.sort(best.indices.numpy(), axis=1)
    order = np.argsort(-np.take_along_axis(values, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)
