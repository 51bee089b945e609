"""ComplEx: an edge is plausible if Re⟨h, r, conj(t)⟩ is large; entities and relations are complex.

score(h, r, t) = Re Σ_j h_j r_j conj(t_j). Trouillon et al. (arXiv 1606.06357), with the N3
regulariser and reciprocal relations of Lacroix et al. (arXiv 1806.07297): each relation r has a
second vector for r⁻¹, so heads are predicted as tails of r⁻¹. Vectors are stored as real parts,
then imaginary parts.
"""

from __future__ import annotations

import torch

from reasoning.predictors.embeddings.architecture import Parameters

__all__ = ["Complex"]


class Complex:
    """The scoring functions of ComplEx; implements `Architecture`.

    Args:
        rank: Complex dimensions.
    """

    def __init__(self, rank: int) -> None:
        self.entity_width = 2 * rank

    def shapes(self, num_directed: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of the relations."""
        return {"relation": (num_directed, self.entity_width)}

    def queries(
        self, parameters: Parameters, heads: torch.Tensor, relations: torch.Tensor
    ) -> torch.Tensor:
        """Return h · r, since Re(h r conj(t)) is the real inner product of h r and t."""
        return _product(heads, parameters["relation"][relations])

    def backward_queries(
        self, parameters: Parameters, heads: torch.Tensor, inverses: torch.Tensor
    ) -> torch.Tensor:
        """Return h · conj(r⁻¹), since Re(t r' conj(h)) = Re(h conj(r') conj(t))."""
        return _product(heads, _conjugate(parameters["relation"][inverses]))

    def relation_scores(
        self, parameters: Parameters, heads: torch.Tensor, tails: torch.Tensor
    ) -> torch.Tensor:
        """Return Re(h conj(t) r) for all r: the inner product of conj(h) t and r."""
        return _product(_conjugate(heads), tails) @ parameters["relation"].T

    def cubic_norm(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return Σ_j |v_j|³ over the complex dimensions (N3)."""
        real, imaginary = vectors.chunk(2, dim=-1)
        # the small constant keeps the gradient of the square root finite at zero
        return (real.square() + imaginary.square() + 1e-12).pow(1.5).sum(dim=-1)


def _product(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    left_re, left_im = left.chunk(2, dim=-1)
    right_re, right_im = right.chunk(2, dim=-1)
    real = left_re * right_re - left_im * right_im
    return torch.cat([real, left_re * right_im + left_im * right_re], dim=-1)


def _conjugate(vectors: torch.Tensor) -> torch.Tensor:
    real, imaginary = vectors.chunk(2, dim=-1)
    return torch.cat([real, -imaginary], dim=-1)
