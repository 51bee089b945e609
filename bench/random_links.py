"""A link predictor of random vectors whose rows come from an approximate search.

For benches of time and memory only: what it predicts means nothing. Entities lie in √N cells around
random centres, as the inverted lists of a vector index do. A row scores all centres and then the
members of the nearest cells, so that it costs about √N products instead of N, and no row of all
entities is ever held. On a graph of a million entities a real embedding needs such a search too.
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from reasoning.protocols import SparseRows

__all__ = ["RandomLinks"]


class RandomLinks:
    """Implements `SparseLinkPredictor` with random vectors.

    Args:
        num_entities: How many it scores.
        rank: Length of a vector.
        nearest: How many cells a row looks into.
        seed: Everything random follows from it.
    """

    def __init__(
        self, num_entities: int, *, rank: int = 32, nearest: int = 8, seed: int = 0
    ) -> None:
        generator = np.random.default_rng(seed)
        self.num_entities = num_entities
        self.fingerprint = f"random-{num_entities}-{rank}-{nearest}-{seed}"
        self._nearest = nearest
        self._generator_seed = seed
        cells = max(1, isqrt(num_entities))
        self._centres = generator.standard_normal((cells, rank), dtype=np.float32)
        # entity i lies in cell i % cells
        self._vectors = generator.standard_normal((num_entities, rank), dtype=np.float32)
        self._vectors *= np.float32(0.5)
        self._vectors += self._centres[np.arange(num_entities) % cells]

    def rows(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
    ) -> NDArray[np.float32]:
        """Return the sparse rows as dense ones."""
        found = self.sparse_rows(entities, relation, inverse=inverse, floor=0.0)
        dense: NDArray[np.float32] = found.matrix.toarray()
        return dense

    def sparse_rows(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool, floor: float
    ) -> SparseRows:
        """Return the values above `floor` among the members of the nearest cells."""
        generator = np.random.default_rng((self._generator_seed, 2 * relation + int(inverse)))
        turn = generator.standard_normal(self._vectors.shape[1], dtype=np.float32)
        asked = self._vectors[entities] * turn
        cells = len(self._centres)
        nearest = min(self._nearest, cells)
        near = np.argpartition(-(asked @ self._centres.T), nearest - 1, axis=1)[:, :nearest]
        ends, values, dropped = [], [], np.zeros(len(entities), dtype=np.float32)
        for place, question in enumerate(asked):
            members = np.concatenate(
                [np.arange(cell, self.num_entities, cells) for cell in np.sort(near[place])]
            )
            members.sort()
            scores = self._vectors[members] @ question
            shares = np.exp(scores - scores.max())
            shares /= shares.sum()
            keep = shares > floor
            ends.append(members[keep].astype(np.int32))
            values.append(shares[keep])
            dropped[place] = shares.max(initial=0.0, where=~keep)
        bounds = np.cumsum([0, *map(len, ends)])
        none = np.empty(0, dtype=np.int32)
        matrix = csr_matrix(
            (
                np.concatenate([np.empty(0, dtype=np.float32), *values]),
                np.concatenate([none, *ends]),
                bounds,
            ),
            shape=(len(entities), self.num_entities),
        )
        return SparseRows(matrix=matrix, dropped=dropped)
