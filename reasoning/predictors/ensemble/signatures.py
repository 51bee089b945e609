"""Which relations an entity may have, judged by those that it has: types without type names.

The signature of an entity is the set of directed relations that leave it. Its plausibility for a
relation d is the mean, over the other relations s in its signature, of the share of entities with
s that also have d. An entity that the graph never shows with d, but whose like has it, is so told
from one that cannot have it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from kg.snapshot import Snapshot

__all__ = ["Signatures"]

_PSEUDO_COUNT = 2.0


class Signatures:
    """Signatures of all entities of a graph.

    Args:
        snapshot: The graph.

    Attributes:
        degrees: ``(num_entities,)`` float32, edges in either direction.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        relations = snapshot.relations.astype(np.int64)
        entities = np.concatenate([snapshot.heads, snapshot.tails]).astype(np.int64)
        steps = np.concatenate([relations, relations + snapshot.num_relations])
        shape = (snapshot.num_entities, 2 * snapshot.num_relations)
        ones = np.ones(len(steps), dtype=np.float32)
        counts = csr_matrix((ones, (entities, steps)), shape=shape)
        self._counts = counts.tocsc()
        self.degrees = np.asarray(counts.sum(axis=1), dtype=np.float32).ravel()
        present = counts.copy()
        present.data[:] = 1.0
        together = np.asarray((present.T @ present).todense(), dtype=np.float64)
        owners = np.diag(together)
        self._share = (together / (owners[:, None] + _PSEUDO_COUNT)).astype(np.float32)
        self._present = present
        self._sizes = np.diff(present.indptr)

    def counts(self, step: int) -> NDArray[np.float32]:
        """Return ``(num_entities,)``: edges of a directed relation that leave each entity."""
        found: NDArray[np.float32] = self._counts[:, [step]].toarray()[:, 0]
        return found

    def plausibility(self, step: int) -> NDArray[np.float32]:
        """Return ``(num_entities,)`` values in [0, 1]; 0 for an entity without other relations."""
        share = self._share[:, step].copy()
        share[step] = 0.0
        others = self._sizes - (self.counts(step) > 0)
        return np.asarray((self._present @ share) / np.maximum(others, 1), dtype=np.float32)
