"""What a rule with constants asks of a head: that a directed relation leads it to one entity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from kg.snapshot import Snapshot

__all__ = ["Items"]


class Items:
    """The (directed relation, end) pairs of a graph, and which entities have them.

    Args:
        snapshot: The graph.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._size = snapshot.num_entities
        heads, tails = snapshot.heads, snapshot.tails
        relations = snapshot.relations.astype(np.int64)
        starts, ends = np.concatenate([heads, tails]), np.concatenate([tails, heads])
        steps = np.concatenate([relations, relations + snapshot.num_relations])
        keep = starts != ends
        codes, numbers = np.unique(steps[keep] * self._size + ends[keep], return_inverse=True)
        self._codes: NDArray[np.int64] = codes
        ones = np.ones(len(numbers), dtype=np.float32)
        shape = (self._size, len(codes))
        self._matrix = csr_matrix((ones, (starts[keep], numbers)), shape=shape)

    def of(self, entities: NDArray[np.int32]) -> csr_matrix:
        """Return ``(len(entities), num_items)``, 1 where an entity has an item."""
        return self._matrix[entities]

    def step(self, item: int) -> int:
        """Return the directed relation of an item."""
        return int(self._codes[item]) // self._size

    def end(self, item: int) -> int:
        """Return the entity that an item leads to."""
        return int(self._codes[item]) % self._size

    def are(
        self, items: NDArray[np.integer], step: int, ends: NDArray[np.integer]
    ) -> NDArray[np.bool_]:
        """Tell which items are a directed relation to the given ends."""
        wanted: NDArray[np.bool_] = self._codes[items] == step * self._size + ends.astype(np.int64)
        return wanted

    def numbers(self, steps: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the item of each pair, -1 where no entity of the graph has it."""
        wanted = steps * self._size + ends
        if len(self._codes) == 0:
            return np.full(len(wanted), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self._codes, wanted), len(self._codes) - 1)
        return np.where(self._codes[places] == wanted, places, -1).astype(np.int64)
