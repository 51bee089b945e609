"""The known tails of some heads, by which every row of a predictor is corrected.

Directed relations are r, or r + num_relations for r⁻¹, as in `reasoning.predictors.paths`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from kg.snapshot import Snapshot
from reasoning.protocols import SparseRows

__all__ = ["KnownTails", "largest"]


class KnownTails:
    """Which tails each head has, in either direction.

    Args:
        snapshot: The graph.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._kept: dict[tuple[int, bool], csr_matrix] = {}

    def of(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
    ) -> csr_matrix:
        """Return ``(len(entities), num_entities)``, 1 where an edge is in the graph."""
        return self.matrix(relation, inverse=inverse)[entities]

    def matrix(self, relation: int, *, inverse: bool = False) -> csr_matrix:
        """Return ``(num_entities, num_entities)``, 1 at each edge of a relation."""
        found = self._kept.get((relation, inverse))
        if found is None:
            snapshot = self._snapshot
            span = snapshot.edges_of(relation)
            ends = (snapshot.heads[span], snapshot.tails[span])
            size = (snapshot.num_entities, snapshot.num_entities)
            ones = np.ones(len(ends[0]), dtype=np.float32)
            found = csr_matrix((ones, ends[::-1] if inverse else ends), shape=size)
            self._kept[relation, inverse] = found
        return found


def largest(rows: NDArray[np.float32], floor: float) -> SparseRows:
    """Return the entries of dense rows above a floor, and the largest of the others."""
    keep = rows > floor
    counts = np.count_nonzero(keep, axis=1)
    places = np.flatnonzero(keep.ravel())
    indptr = np.concatenate(([0], np.cumsum(counts)))
    indices = (places % max(rows.shape[1], 1)).astype(np.int32)
    matrix = csr_matrix((rows.ravel()[places], indices, indptr), shape=rows.shape)
    return SparseRows(matrix=matrix, dropped=rows.max(axis=1, initial=0.0, where=~keep))
