"""The edges of a graph by entity and directed relation, for steps from many entities at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from reasoning.known_edges import consecutive

__all__ = ["EdgeGroups"]

Ids = NDArray[np.int64]


class EdgeGroups:
    """All edges, each in both directions; those of an entity and a directed relation are a group.

    Directed relations are r, or r + num_relations for r⁻¹.

    Args:
        snapshot: The graph.
        loops: Keep edges from an entity to itself.

    Attributes:
        steps: ``(num_groups,)`` directed relation of each group, ascending within an entity.
        ends: ``(num_edges,)`` where edges lead, ascending and distinct within a group.
        degrees: ``(num_entities,)`` edges that leave each entity.
    """

    def __init__(self, snapshot: Snapshot, *, loops: bool = True) -> None:
        heads, tails = snapshot.heads.astype(np.int64), snapshot.tails.astype(np.int64)
        relations = snapshot.relations.astype(np.int64)
        starts, ends = np.concatenate([heads, tails]), np.concatenate([tails, heads])
        steps = np.concatenate([relations, relations + snapshot.num_relations])
        if not loops:
            keep = starts != ends
            starts, ends, steps = starts[keep], ends[keep], steps[keep]
        self._num_steps = 2 * snapshot.num_relations
        order = np.lexsort((ends, steps, starts))
        keys, ends = starts[order] * self._num_steps + steps[order], ends[order]
        new = (np.diff(keys, prepend=-1) != 0) | (np.diff(ends, prepend=-1) != 0)
        keys, self.ends = keys[new], ends[new]
        first = np.flatnonzero(np.diff(keys, prepend=-1))
        self._keys = keys[first]
        self._bounds = np.append(first, len(keys))
        self.steps = self._keys % max(1, self._num_steps)
        owners = self._keys // max(1, self._num_steps)
        count = snapshot.num_entities
        self._first = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=count))])
        self.degrees: Ids = np.diff(self._bounds[self._first])

    def of(self, entities: Ids) -> tuple[Ids, Ids]:
        """Return all groups of some entities: whose they are (a position), and their numbers."""
        start = self._first[entities]
        counts = self._first[entities + 1] - start
        return np.repeat(np.arange(len(entities)), counts), consecutive(start, counts)

    def spans(self, groups: Ids) -> tuple[Ids, Ids]:
        """Return where the edges of groups start in `ends`, and how many they are."""
        start = self._bounds[groups]
        return start, self._bounds[groups + 1] - start

    def leaving(self, entities: Ids) -> tuple[Ids, Ids, Ids]:
        """Return all edges of some entities: whose they are (a position), their steps and ends."""
        owner, groups = self.of(entities)
        start, counts = self.spans(groups)
        steps = np.repeat(self.steps[groups], counts)
        return np.repeat(owner, counts), steps, self.ends[consecutive(start, counts)]

    def along(self, entities: Ids, steps: Ids) -> tuple[Ids, Ids]:
        """Return the edges of some entities along one directed relation each.

        Returns:
            How many they are of each entity, and their ends one after the other.
        """
        keys = entities * self._num_steps + steps
        low = np.searchsorted(self._keys, keys, side="left")
        high = np.searchsorted(self._keys, keys, side="right")
        start = self._bounds[low]
        counts = self._bounds[high] - start
        return counts, self.ends[consecutive(start, counts)]
