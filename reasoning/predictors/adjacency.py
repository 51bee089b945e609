"""The edges of a graph as one sparse matrix for each directed relation.

Directed relations are r, or r + num_relations for r⁻¹, as in `reasoning.predictors.paths`.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from kg.snapshot import Snapshot

__all__ = ["Adjacency", "directed", "opposite"]

_MOST_CELLS = 250_000_000
"""Row pointers and entries that are kept, about 1 GB; beyond that the matrices are built anew."""


def directed(relation: int, num_relations: int, *, inverse: bool) -> int:
    """Return the directed relation of a relation read forward, or backward if `inverse`."""
    return relation + num_relations if inverse else relation


def opposite(step: int, num_relations: int) -> int:
    """Return the directed relation that leads back."""
    return step - num_relations if step >= num_relations else step + num_relations


class Adjacency:
    """Adjacency matrices, built when first needed.

    Args:
        snapshot: The graph.
        loops: Keep edges from an entity to itself.
    """

    def __init__(self, snapshot: Snapshot, *, loops: bool = True) -> None:
        self.snapshot = snapshot
        self._loops = loops
        self._kept: dict[int, csr_matrix] = {}
        self._cells = 0

    def of(self, step: int) -> csr_matrix:
        """Return ``(num_entities, num_entities)`` float32, 1 at each edge of a directed relation.

        Column indices ascend within a row. Not to be written to.
        """
        found = self._kept.get(step)
        if found is None:
            found = self._built(step)
            self._cells += len(found.indptr) + len(found.indices)
            if self._cells > _MOST_CELLS:
                self._kept.clear()
                self._cells = len(found.indptr) + len(found.indices)
            self._kept[step] = found
        return found

    def _built(self, step: int) -> csr_matrix:
        snapshot = self.snapshot
        span = snapshot.edges_of(step % snapshot.num_relations)
        starts, ends = snapshot.heads[span], snapshot.tails[span]
        if step >= snapshot.num_relations:
            starts, ends = ends, starts
        if not self._loops:
            keep = starts != ends
            starts, ends = starts[keep], ends[keep]
        size = (snapshot.num_entities, snapshot.num_entities)
        matrix = csr_matrix((np.ones(len(starts), dtype=np.float32), (starts, ends)), shape=size)
        matrix.sort_indices()
        return matrix
