"""What differs between embeddings: their parameters, and how head and relation become a query.

In all of them the score of an edge is linear in the tail, q(h, r) · t, so that one matrix product
scores a batch of (head, relation) pairs against all tails.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch

from reasoning.predictors.embeddings.config import ComplexConfig, EmbeddingConfig, TuckerConfig

__all__ = ["Architecture", "Parameters", "architecture_of"]

Parameters = Mapping[str, torch.Tensor]
"""All of a model's tensors but the entities' by name; ``relation`` has a row for r and r⁻¹."""


class Architecture(Protocol):
    """A family of scoring functions. Relation ids are directed: r + num_relations is r⁻¹."""

    @property
    def entity_width(self) -> int:
        """Numbers an entity."""
        ...

    def shapes(self, num_directed: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all parameters besides the entities, by name.

        Args:
            num_directed: Twice the number of relations.
        """
        ...

    def queries(
        self, parameters: Parameters, heads: torch.Tensor, relations: torch.Tensor
    ) -> torch.Tensor:
        """Return ``(n, entity_width)``: q with q · t = score(h, r, t).

        Args:
            parameters: All but the entities.
            heads: ``(n, entity_width)`` vectors.
            relations: ``(n,)`` directed ids.
        """
        ...

    def backward_queries(
        self, parameters: Parameters, heads: torch.Tensor, inverses: torch.Tensor
    ) -> torch.Tensor:
        """Return ``(n, entity_width)``: q with q · t = score(t, r⁻¹, h).

        Args:
            parameters: All but the entities.
            heads: ``(n, entity_width)`` vectors of h.
            inverses: ``(n,)`` directed ids of r⁻¹.
        """
        ...

    def relation_scores(
        self, parameters: Parameters, heads: torch.Tensor, tails: torch.Tensor
    ) -> torch.Tensor:
        """Return ``(n, num_directed)`` scores of all relations between pairs of vectors."""
        ...

    def cubic_norm(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return ``(n,)``: ‖v‖₃³ of rows of entities or relations."""
        ...


def architecture_of(config: EmbeddingConfig) -> Architecture:
    """Return the scoring functions that a configuration is of.

    Raises:
        TypeError: There is none.
    """
    from reasoning.predictors.embeddings.complex import Complex
    from reasoning.predictors.embeddings.tucker import Tucker

    if isinstance(config, ComplexConfig):
        return Complex(config.whole_rank)
    if isinstance(config, TuckerConfig):
        return Tucker(config.dimension, config.relation_dimension)
    raise TypeError(f"no embedding for {type(config).__name__}")
