"""ComplEx: an edge is plausible if Re⟨h, r, conj(t)⟩ is large; entities and relations are complex.

score(h, r, t) = Re Σ_j h_j r_j conj(t_j). Trouillon et al. (arXiv 1606.06357), with the N3
regulariser and reciprocal relations of Lacroix et al. (arXiv 1806.07297): each relation r has a
second vector for r⁻¹, so heads are predicted as tails of r⁻¹. Loss of a triple:
−log softmax_t(score(h, r, ·)) + λ (‖h‖₃³ + ‖r‖₃³ + ‖t‖₃³).

`reasoning.predictors.complex_training` trains it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from kg.errors import SettingError

__all__ = ["ComplexConfig", "ComplexModel", "complex_scores", "n3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplexConfig:
    """How ComplEx is trained.

    Attributes:
        rank: Complex dimensions, at least 1.
        epochs: Passes over the edges, at least 1; early stopping may take fewer.
        learning_rate: Of Adagrad, above 0.
        n3: Weight λ of the regulariser, at least 0.
        batch: Most (head, relation) rows a step.
        candidates: Most tails in one softmax.
        scale: Standard deviation of the initial values.
        keep_every: Epochs between two kept states, where a folder for them is given.
    """

    rank: int = 48
    epochs: int = 40
    learning_rate: float = 0.1
    n3: float = 0.02
    batch: int = 256
    candidates: int = 1024
    scale: float = 0.1
    keep_every: int = 20

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        for name in ("rank", "epochs", "batch", "candidates", "keep_every"):
            if getattr(self, name) < 1:
                raise SettingError(f"ComplexConfig.{name} is {getattr(self, name)}, not at least 1")
        if self.learning_rate <= 0 or self.n3 < 0 or self.scale <= 0:
            raise SettingError("ComplexConfig needs learning_rate, scale > 0 and n3 >= 0")


def complex_scores(
    heads: torch.Tensor, relations: torch.Tensor, tails: torch.Tensor
) -> torch.Tensor:
    """Return the scores of rows against a shared list of tails.

    Args:
        heads: ``(batch, 2 * rank)``, real parts then imaginary parts.
        relations: ``(batch, 2 * rank)`` or one row for all.
        tails: ``(num_tails, 2 * rank)``.

    Returns:
        ``(batch, num_tails)``.
    """
    head_re, head_im = heads.chunk(2, dim=-1)
    relation_re, relation_im = relations.chunk(2, dim=-1)
    moved_re = head_re * relation_re - head_im * relation_im
    moved_im = head_re * relation_im + head_im * relation_re
    return torch.cat([moved_re, moved_im], dim=-1) @ tails.T


def n3(vectors: torch.Tensor) -> torch.Tensor:
    """Return ‖v‖₃³ of complex vectors, ``(batch,)`` from ``(batch, 2 * rank)``."""
    real, imaginary = vectors.chunk(2, dim=-1)
    # the small constant keeps the gradient of the square root finite at zero
    return (real.square() + imaginary.square() + 1e-12).pow(1.5).sum(dim=-1)


@dataclass(frozen=True, kw_only=True, eq=False)
class ComplexModel:
    """Trained vectors.

    Attributes:
        entity: ``(num_entities, 2 * rank)`` float32.
        relation: ``(2 * num_relations, 2 * rank)`` float32; row r + num_relations is r⁻¹.
    """

    entity: NDArray[np.float32]
    relation: NDArray[np.float32]

    def scores(
        self, heads: NDArray[np.int32], relation: int, tails: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """Return ``(len(heads), len(tails))`` raw scores, the mean of both directions.

        A triple is scored as a tail of r and as a head of r⁻¹; both vectors saw the same edges,
        and their mean ranks better than either.
        """
        forward = _product(self.entity[heads], self.relation[relation], self.entity[tails])
        back = self.relation[relation + len(self.relation) // 2]
        backward = _product(self.entity[tails], back, self.entity[heads]).T
        return (forward + backward) * np.float32(0.5)


def _product(
    heads: NDArray[np.float32], relation: NDArray[np.float32], tails: NDArray[np.float32]
) -> NDArray[np.float32]:
    arrays = (torch.from_numpy(np.ascontiguousarray(a)) for a in (heads, relation, tails))
    result: NDArray[np.float32] = complex_scores(*arrays).numpy()
    return result
