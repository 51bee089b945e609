"""Link prediction: the filtered ranks of held-out edges, tails and heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation import ranks
from reasoning.predictors.embeddings.model import EmbeddingModel

__all__ = ["LinkRanks", "directed", "link_ranks", "sampled_mrr"]

_MOST_SCORES = 2**25
"""Scores that are held at once."""

Edges = NDArray[np.int32]


@dataclass(frozen=True, kw_only=True, eq=False)
class LinkRanks:
    """Realistic filtered ranks of directed edges.

    Attributes:
        edges: ``(n, 3)`` head, directed relation, tail.
        realistic: ``(n,)``; 1 is best.
    """

    edges: Edges
    realistic: NDArray[np.float64]

    @property
    def reciprocal(self) -> NDArray[np.float64]:
        """``(n,)`` reciprocal ranks."""
        return 1.0 / self.realistic


def directed(edges: Edges, num_relations: int) -> Edges:
    """Return both directions of edges: (h, r, t), then (t, r + num_relations, h)."""
    heads, relations, tails = edges.T
    back = np.stack([tails, relations + num_relations, heads], axis=1)
    return np.concatenate([edges, back]).astype(np.int32)


def link_ranks(model: EmbeddingModel, edges: Edges, known: Sequence[Edges]) -> LinkRanks:
    """Rank the tail of each edge, and its head, among all entities.

    Args:
        model: The embedding.
        edges: ``(n, 3)`` head, relation, tail.
        known: Edges that are right too and so are no rivals: all splits, as the field has it.

    Raises:
        InputError: A score is not finite.
    """
    return _ranked(model, directed(edges, model.num_relations), known)


def sampled_mrr(model: EmbeddingModel, edges: Edges, known: Sequence[Edges], most: int) -> float:
    """Return the filtered MRR over a sample of directed edges that is drawn once for all calls."""
    both = directed(edges, model.num_relations)
    if len(both) > most:
        both = both[np.sort(np.random.default_rng(0).choice(len(both), most, replace=False))]
    return float(_ranked(model, both, known).reciprocal.mean())


def _ranked(model: EmbeddingModel, both: Edges, known: Sequence[Edges]) -> LinkRanks:
    right = directed(np.concatenate([*known]), model.num_relations)
    codes = _codes(right, model.num_relations)
    order = np.argsort(codes, kind="stable")
    codes, tails = codes[order], right[order, 2]
    wanted = _codes(both, model.num_relations)
    low, high = (np.searchsorted(codes, wanted, side=side) for side in ("left", "right"))
    found = np.empty(len(both))
    block = max(1, _MOST_SCORES // model.num_entities)
    for start in range(0, len(both), block):
        part = slice(start, start + block)
        filtered = [tails[a:b] for a, b in zip(low[part], high[part], strict=True)]
        scores = model.row_scores(both[part, 0], both[part, 1])
        found[part] = ranks(scores, both[part, 2], filtered).realistic
    return LinkRanks(edges=both, realistic=found)


def _codes(edges: Edges, num_relations: int) -> NDArray[np.int64]:
    codes: NDArray[np.int64] = edges[:, 0].astype(np.int64) * (2 * num_relations) + edges[:, 1]
    return codes
