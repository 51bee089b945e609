"""TuckER: one core tensor that all relations share mixes head, relation and tail.

score(h, r, t) = Σ_ijk W_ijk r_i h_j t_k. Balažević et al. (arXiv 1901.09590), without their batch
norms and dropout: the cubic regulariser takes their place.
"""

from __future__ import annotations

import torch

from reasoning.predictors.embeddings.architecture import Parameters

__all__ = ["Tucker"]


class Tucker:
    """The scoring functions of TuckER; implements `Architecture`.

    Args:
        dimension: Of entities.
        relation_dimension: Of relations.
    """

    def __init__(self, dimension: int, relation_dimension: int) -> None:
        self.entity_width = dimension
        self._relation_width = relation_dimension

    def shapes(self, num_directed: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the core W and of the relations."""
        width = self.entity_width
        return {
            "core": (self._relation_width, width, width),
            "relation": (num_directed, self._relation_width),
        }

    def queries(
        self, parameters: Parameters, heads: torch.Tensor, relations: torch.Tensor
    ) -> torch.Tensor:
        """Return Σ_ij W_ijk r_i h_j."""
        return _mixed(parameters, heads, relations, transposed=False)

    def backward_queries(
        self, parameters: Parameters, heads: torch.Tensor, inverses: torch.Tensor
    ) -> torch.Tensor:
        """Return Σ_ik W_ijk r'_i h_k."""
        return _mixed(parameters, heads, inverses, transposed=True)

    def relation_scores(
        self, parameters: Parameters, heads: torch.Tensor, tails: torch.Tensor
    ) -> torch.Tensor:
        """Return Σ_i r_i (hᵀ W_i t) for all r."""
        mixed = torch.einsum("nj,ijk,nk->ni", heads, parameters["core"], tails)
        return mixed @ parameters["relation"].T

    def cubic_norm(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return Σ_j |v_j|³."""
        return vectors.abs().pow(3).sum(dim=-1)


def _mixed(
    parameters: Parameters, heads: torch.Tensor, relations: torch.Tensor, *, transposed: bool
) -> torch.Tensor:
    # one matrix a distinct relation, not one a row: a batch has few relations beside rows
    distinct, place = torch.unique(relations, return_inverse=True)
    matrices = torch.einsum("ri,ijk->rjk", parameters["relation"][distinct], parameters["core"])
    if transposed:
        matrices = matrices.transpose(1, 2)
    order = torch.argsort(place, stable=True)
    sizes = torch.bincount(place, minlength=len(distinct)).tolist()
    parts = torch.split(heads[order], sizes)
    moved = torch.cat([part @ matrix for part, matrix in zip(parts, matrices, strict=True)])
    return moved[torch.argsort(order)]
