"""The loss of one entity's vector when everything else stands still, and its minimum.

An embedding of `reasoning.predictors.embeddings` scores an edge linearly in each of its ends. With
all other vectors fixed, the training loss in the vector v of one entity is therefore

    Σ_i n_i logsumexp_k(x_ik · v + w_ik) − y · v          v as head: a softmax over tails k, pair i
    + Σ_j m_j log(1 + exp(q_j · v − c_j)) − q · v         v as tail: it joins a softmax of size c_j
    + λ e ‖v‖₃³

with n_i true tails of pair i, y the sum of all of them seen from v; q_j the query of pair j, c_j
the logarithm of its softmax's sum without v, m_j the tails that share it, q the sum of the queries
that v answers; e the regularised ends. Each term is convex, so that the minimum does not depend on
where the search starts; L-BFGS (Liu and Nocedal 1989) finds it in some fifteen evaluations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

__all__ = ["VectorObjective", "minimum"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class VectorObjective:
    """The loss as arrays; `width` numbers a vector.

    Attributes:
        tails: ``(num_tails, width)`` x: candidates of all softmaxes, seen from v, one after the
            other.
        log_weights: ``(num_tails,)`` w: logarithm of how many entities each stands for.
        starts: ``(num_softmaxes,)`` where the candidates of each softmax begin.
        counts: ``(num_softmaxes,)`` n: true tails of each.
        true_tails: ``(width,)`` y.
        queries: ``(num_queries, width)`` q_j.
        log_sums: ``(num_queries,)`` c_j.
        weights: ``(num_queries,)`` m_j.
        true_queries: ``(width,)`` q.
        penalty: λ e.
        cubic_norm: ‖·‖₃³ of ``(1, width)`` tensors.
    """

    tails: Floats
    log_weights: Floats
    starts: NDArray[np.int64]
    counts: Floats
    true_tails: Floats
    queries: Floats
    log_sums: Floats
    weights: Floats
    true_queries: Floats
    penalty: float
    cubic_norm: Callable[[torch.Tensor], torch.Tensor]

    def value_and_gradient(self, vector: Floats) -> tuple[float, Floats]:
        """Return the loss at a vector and its gradient there."""
        gradient = -(self.true_tails + self.true_queries)
        value = float(gradient @ vector)
        if len(self.starts):
            scores = self.tails @ vector + self.log_weights
            top = np.maximum.reduceat(scores, self.starts)
            sizes = np.diff(self.starts, append=len(scores))
            shares = np.exp(scores - np.repeat(top, sizes))
            total = np.add.reduceat(shares, self.starts)
            value += float(self.counts @ (top + np.log(total)))
            gradient = gradient + (shares * np.repeat(self.counts / total, sizes)) @ self.tails
        margins = self.queries @ vector - self.log_sums
        value += float(self.weights @ np.logaddexp(0.0, margins))
        gradient = gradient + (self.weights * expit(margins)) @ self.queries
        point = torch.from_numpy(vector).requires_grad_()
        norm = self.cubic_norm(point[None])[0]
        (slope,) = torch.autograd.grad(norm, point)
        value += self.penalty * float(norm.detach())
        return value, gradient + np.float32(self.penalty) * slope.numpy()


def minimum(objective: VectorObjective, start: Floats, *, steps: int, tolerance: float) -> Floats:
    """Return the vector of the least loss.

    Args:
        objective: The loss.
        start: ``(width,)`` where the search starts.
        steps: Most steps.
        tolerance: Relative gain of a step at which the search ends.
    """

    def evaluated(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, gradient = objective.value_and_gradient(point.astype(np.float32))
        return value, gradient.astype(np.float64)

    found = minimize(
        evaluated,
        start.astype(np.float64),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": steps, "ftol": tolerance},
    )
    return np.asarray(found.x, dtype=np.float32)
