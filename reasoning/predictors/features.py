"""What a predictor knows of a pair (head, tail) before it is asked: one row of numbers a pair.

Columns: log walk probability of each body (`paths`), the ComplEx score as a log share of its row
(where it was trained),
how many known tails the head has (one-hot, since a country with a currency seldom has two) and
how frequent the tail is, and nearness where both have coordinates (`positions`). Nothing here may
see the edge that it is to predict: features are computed on a graph that lacks it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.snapshot import Snapshot
from reasoning.predictors.embeddings.model import EmbeddingModel
from reasoning.predictors.paths import Body, Walks
from reasoning.predictors.positions import Positions
from reasoning.predictors.typing import RelationTypes

__all__ = ["Features", "Pairs", "looked_up", "pairs_of", "walked"]

_FLOOR = 1e-3
"""Added to walk probabilities before the logarithm: below it, differences are noise."""

_MOST_TAILS = 5
_CHUNK = 512


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """Edges that may be predicted from some heads, those of the graph left out.

    Attributes:
        heads: ``(h,)`` ids.
        rows: ``(n,)`` positions into `heads`, ascending.
        tails: ``(n,)`` ids.
    """

    heads: NDArray[np.int32]
    rows: NDArray[np.int64]
    tails: NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.rows)


def pairs_of(
    graph: Snapshot, types: RelationTypes, relation: int, heads: NDArray[np.int32]
) -> Pairs:
    """Return all new edges of a relation that may be predicted from some heads."""
    rows, tails = types.allowed_pairs(relation, heads)
    span = graph.edges_of(relation)
    size = graph.num_entities
    stored = graph.heads[span].astype(np.int64) * size + graph.tails[span]
    new = ~np.isin(heads[rows].astype(np.int64) * size + tails, stored)
    return Pairs(heads=heads, rows=rows[new], tails=tails[new])


class Features:
    """Computes the columns of one relation on one graph.

    Args:
        graph: The graph, without what is to be predicted.
        types: Which edges are possible.
        model: ComplEx vectors trained on that graph.
        positions: Coordinates, if the graph has some.
    """

    def __init__(
        self, graph: Snapshot, types: RelationTypes, model: EmbeddingModel, positions: Positions
    ) -> None:
        self._graph = graph
        self._types = types
        self._model = model
        self._positions = positions
        self.walks = Walks(graph)

    def columns(self, relation: int, pairs: Pairs, chosen: tuple[Body, ...]) -> NDArray[np.float32]:
        """Return ``(len(pairs), num_columns)``.

        Args:
            relation: Relation id.
            pairs: Pairs; heads are worked on 512 at a time.
            chosen: Bodies, one column each.
        """
        blocks = []
        for start in range(0, len(pairs.heads), _CHUNK):
            low, high = np.searchsorted(pairs.rows, [start, start + _CHUNK])
            heads = pairs.heads[start : start + _CHUNK]
            rows, tails = pairs.rows[low:high] - start, pairs.tails[low:high]
            blocks.append(self._block(relation, Pairs(heads=heads, rows=rows, tails=tails), chosen))
        return np.concatenate(blocks) if blocks else np.empty((0, 0), dtype=np.float32)

    def _block(self, relation: int, pairs: Pairs, chosen: tuple[Body, ...]) -> NDArray[np.float32]:
        parts = [
            walked(self.walks, pairs, chosen),
            self._complex(relation, pairs),
            self._counts(relation, pairs),
            self._near(relation, pairs),
        ]
        return np.concatenate(parts, axis=1)

    def _complex(self, relation: int, pairs: Pairs) -> NDArray[np.float32]:
        if self._types.of_parts[relation]:
            return np.empty((len(pairs), 0), dtype=np.float32)
        tails = self._types.candidates(relation)
        scores = self._model.scores(pairs.heads, relation, tails=tails)
        top = scores.max(axis=1, keepdims=True, initial=-np.inf)
        shares = scores - top - np.log(np.exp(scores - top).sum(axis=1, keepdims=True))
        found = shares[pairs.rows, np.searchsorted(tails, pairs.tails)]
        return np.asarray(found[:, None], dtype=np.float32)

    def _counts(self, relation: int, pairs: Pairs) -> NDArray[np.float32]:
        span, size = self._graph.edges_of(relation), self._graph.num_entities
        of_heads = np.bincount(self._graph.heads[span], minlength=size)
        of_tails = np.bincount(self._graph.tails[span], minlength=size)
        known = of_heads[pairs.heads[pairs.rows]]
        one_hot = np.minimum(known, _MOST_TAILS)[:, None] == np.arange(_MOST_TAILS + 1)
        more = np.log1p(np.maximum(known - _MOST_TAILS, 0))[:, None]
        frequent = np.log1p(of_tails[pairs.tails])[:, None]
        return np.concatenate([one_hot, more, frequent], axis=1).astype(np.float32)

    def _near(self, relation: int, pairs: Pairs) -> NDArray[np.float32]:
        heads = self._types.candidates(relation, inverse=True)
        tails = self._types.candidates(relation)
        if min(self._positions.placed(heads), self._positions.placed(tails)) < 0.5:
            return np.empty((len(pairs), 0), dtype=np.float32)
        near = self._positions.closeness(pairs.heads, tails, heads)
        return near[pairs.rows, np.searchsorted(tails, pairs.tails)]


def walked(walks: Walks, pairs: Pairs, chosen: tuple[Body, ...]) -> NDArray[np.float32]:
    """Return ``(len(pairs), len(chosen))`` log walk probabilities, 0 for no walk."""
    kept: dict[Body, sparse.csr_matrix] = {}
    found = np.zeros((len(pairs), len(chosen)), dtype=np.float32)
    for column, body in enumerate(chosen):
        reached = walks.reach(pairs.heads, body, kept)
        found[:, column] = looked_up(reached, pairs.rows, pairs.tails)
    result: NDArray[np.float32] = np.log1p(found / np.float32(_FLOOR))
    return result


def looked_up(
    matrix: sparse.csr_matrix, rows: NDArray[np.int64], columns: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Return ``(n,)`` values of a sparse matrix at given places."""
    if matrix.nnz == 0 or len(rows) == 0:
        return np.zeros(len(rows), dtype=np.float32)
    return np.asarray(matrix[rows, columns], dtype=np.float32).ravel()
