"""What training minimises: the summed loss of the edges of some (head, relation) rows."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from reasoning.predictors.embeddings.architecture import Architecture, Parameters
from reasoning.predictors.embeddings.config import EmbeddingConfig
from reasoning.predictors.embeddings.softmax import product_type, weighted_log_normaliser

__all__ = ["RowVectors", "edge_loss"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RowVectors:
    """Some rows, their edges and their candidates, looked up.

    Attributes:
        relations: ``(n,)`` directed relation of each row.
        heads: ``(n, width)``.
        owner: ``(m,)`` the row of each edge.
        tails: ``(m, width)``.
        pool: ``(p, width)`` candidates, all tails among them.
        log_weights: ``(p,)`` logarithm of how many entities each candidate stands for, or None.
    """

    relations: torch.Tensor
    heads: torch.Tensor
    owner: torch.Tensor
    tails: torch.Tensor
    pool: torch.Tensor
    log_weights: torch.Tensor | None = None


def edge_loss(
    vectors: RowVectors,
    parameters: Parameters,
    architecture: Architecture,
    config: EmbeddingConfig,
) -> torch.Tensor:
    """Return the sum over edges of −log softmax of the tail, and the terms beside it.

    Args:
        vectors: Rows and edges.
        parameters: All but the entities.
        architecture: Scoring functions.
        config: Weights of the regulariser and of predicting relations; precision.
    """
    rows, owner = vectors.heads, vectors.owner
    queries = architecture.queries(parameters, rows, vectors.relations)
    counts = torch.bincount(owner, minlength=len(rows)).to(rows.dtype)
    normaliser = weighted_log_normaliser(
        queries,
        vectors.pool,
        counts,
        log_weights=vectors.log_weights,
        product_type=product_type(config.precision),
    )
    norm = architecture.cubic_norm
    of_relations = norm(parameters["relation"][vectors.relations])
    penalty = (counts * (norm(rows) + of_relations)).sum() + norm(vectors.tails).sum()
    total = normaliser - (queries[owner] * vectors.tails).sum() + config.regulariser * penalty
    if config.relation_weight > 0:
        scores = architecture.relation_scores(parameters, rows[owner], vectors.tails)
        truth = vectors.relations[owner]
        missed = torch.nn.functional.cross_entropy(scores, truth, reduction="sum")
        total = total + config.relation_weight * missed
    return total
