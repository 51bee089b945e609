"""Several scores of one pair made one: weights by which the right entity is likeliest.

The fused score is Σ w_k (s_k - mean over the base) / σ_k and its softmax over the base is the
probability of each entity; w minimises the cross-entropy of pairs that no unit was trained on, so
the probabilities are calibrated as far as new mentions are like the training ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from kg.errors import InputError

__all__ = ["Fusion"]

_RIVALS = 1024  # entities against which weights are fitted; a larger base is sampled
_PENALTY = 1e-3
_CERTAIN = 1e-6
_STOP = {"maxiter": 100}
_TELLING = 1e-3  # a unit that varies less says nothing

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fusion:
    """Weights of units.

    Attributes:
        weights: ``(units,)``.
        scales: ``(units,)`` standard deviation of each unit's scores.
    """

    weights: Floats
    scales: Floats

    @classmethod
    def fit(
        cls, scores: Floats, gold: NDArray[np.int64], *, seed: int = 0, rivals: int = _RIVALS
    ) -> Fusion:
        """Fit the weights.

        Args:
            scores: ``(units, n, N)`` of pairs that the units were not trained on.
            gold: ``(n,)`` column of each one's entity.
            seed: Draws the rivals of a large base.
            rivals: So many entities at most, beside the right ones.

        Raises:
            InputError: There is nothing to fit on, or shapes differ.

        Example:
            >>> helpful = np.eye(4, dtype=np.float32)
            >>> useless = np.ones((4, 4), dtype=np.float32) - np.tri(4, dtype=np.float32)
            >>> fitted = Fusion.fit(np.stack([helpful, useless]), np.arange(4))
            >>> bool(fitted.weights[0] > 1 > abs(fitted.weights[1]))
            True
        """
        if scores.ndim != 3 or not len(gold) or scores.shape[1] != len(gold):
            raise InputError(f"scores of {scores.shape} do not fit {len(gold)} pairs")
        if scores.shape[2] > rivals:
            drawn: NDArray[np.int64] = np.random.default_rng(seed).permutation(scores.shape[2])[
                :rivals
            ]
            kept, gold = np.unique(np.concatenate([gold, drawn]), return_inverse=True)
            scores, gold = scores[:, :, kept], gold[: scores.shape[1]]
        scales = np.maximum(scores.std(axis=(1, 2)), _CERTAIN).astype(np.float32)
        levelled = (scores - scores.mean(axis=2, keepdims=True)) / scales[:, None, None]
        own = levelled[:, np.arange(len(gold)), gold]
        flat = levelled.reshape(len(scores), -1)

        def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            logits = (weights.astype(np.float32) @ flat).reshape(levelled.shape[1:])
            highest = logits.max(axis=1, keepdims=True)
            shares = np.exp(logits - highest)
            total = shares.sum(axis=1, keepdims=True)
            shares /= total
            slope = flat @ shares.ravel() - own.sum(axis=1)
            surprise = np.log(total.astype(np.float64)) + highest
            value = float(surprise.mean()) - float(weights @ own.mean(axis=1))
            value += _PENALTY * float(weights @ weights)
            return value, slope / len(gold) + 2 * _PENALTY * weights

        start = np.full(len(scores), 1.0 / len(scores))
        found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options=_STOP)
        return cls(weights=found.x.astype(np.float32), scales=scales)

    @classmethod
    def even(cls, scores: Floats, sides: Sequence[slice]) -> Fusion:
        """Return equal weights of the units of each side, and of the sides, for want of pairs.

        Args:
            scores: ``(units, n, N)`` from which the scales are taken; a unit that is the same
                everywhere gets no weight.
            sides: Units that are of one kind.
        """
        scales = scores.std(axis=(1, 2)).astype(np.float32)
        telling = scales > _TELLING
        weights = np.zeros(len(scores), dtype=np.float32)
        for side in sides:
            if telling[side].any():
                weights[side] = telling[side] / (telling[side].sum() * len(sides))
        return cls(weights=weights, scales=np.maximum(scales, _TELLING))

    def __call__(self, scores: Floats) -> Floats:
        """Return ``(n, N)`` fused scores of ``(units, n, N)``."""
        levelled = scores - scores.mean(axis=2, keepdims=True)
        fused: Floats = np.tensordot(self.weights / self.scales, levelled, axes=1)
        return fused.astype(np.float32)
