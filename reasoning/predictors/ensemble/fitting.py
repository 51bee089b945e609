"""Fits the weights of an ensemble, and the map from its softmax to probabilities.

Weights: a conditional logit over the tails of each row. With z = w_d · columns, the loss of a row
is the sum over its missing tails of −log softmax(z), the weights of a directed relation d being
drawn towards shared ones by a ridge penalty, so that a rare relation takes those over. Each missing
edge counts once, since walks meet a row of many tails as often as it has tails: on sampled
validation queries of NELL995 that gave 24.1, 15.7 and 36.1 on 1p, 2u and 2i, rows that count once
each 23.5, 15.3 and 35.3.

Probabilities: of the ten best tails of each row, log-odds = slope · log(n · softmax) + offset_d +
κ · log P(the head misses an edge of d), offsets drawn towards a shared one alike; κ is a setting.
n = 1 + further_d · (known tails) is how many tails a row misses in the mean, given that it misses
one: a row of a thousand known tails misses a hundred, and each has but a hundredth of the softmax.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from reasoning.predictors.ensemble.examples import Examples
from reasoning.predictors.ensemble.minimising import minimise

__all__ = ["Calibration", "fit_calibration", "fit_weights", "log_shares"]

BEST = 10
"""Best new tails of each row that probabilities are fitted on (`specs`: the edges' population)."""

_SHARED_PENALTY = 1e-2


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """How a log-softmax becomes log-odds.

    Attributes:
        slope: Factor of log(n · softmax).
        further: ``(2 * num_relations,)`` further missing tails for each known one.
        offsets: ``(2 * num_relations,)`` of each directed relation.
    """

    slope: float
    further: NDArray[np.float32]
    offsets: NDArray[np.float32]

    def shift(
        self, steps: NDArray[np.int64], num_known: NDArray[np.integer]
    ) -> NDArray[np.float32]:
        """Return ``(n,)``: what is added to slope · log softmax in rows of so many known tails."""
        log_number = np.log1p(self.further[steps] * num_known)
        return np.asarray(self.slope * log_number + self.offsets[steps], dtype=np.float32)


def fit_weights(examples: Examples, num_steps: int, *, shrinkage: float) -> NDArray[np.float32]:
    """Return ``(num_steps, num_columns)`` weights, those of relations without a row shared ones.

    Args:
        examples: Rows, at least one.
        num_steps: Directed relations.
        shrinkage: Pull towards the shared weights, in rows.
    """
    scale = _spread(examples)
    columns = torch.from_numpy(examples.columns / scale)
    log_weights = torch.from_numpy(examples.log_weights)
    hits = torch.from_numpy(examples.hits).float()
    counts = hits.sum(1)
    numbers, owners = np.unique(examples.steps, return_inverse=True)
    owner = torch.from_numpy(owners)
    # models speak in nats, so that weights begin where their sum is the plain product of experts
    shared = torch.from_numpy(np.where(scale > 0, scale, 1.0) * 0.5).float().requires_grad_()
    own = torch.zeros((len(numbers), len(scale)), requires_grad=True)

    def loss() -> torch.Tensor:
        mixed = torch.einsum("nwc,nc->nw", columns, (shared + own)[owner])
        total = torch.logsumexp(mixed + log_weights, dim=1)
        missed = (counts * total - (hits * mixed).sum(1)).sum()
        # rows that count as many as their tails would outweigh the pull otherwise
        missed = missed * len(mixed) / counts.sum().clamp(min=1.0)
        penalty = shrinkage * own.square().sum() + _SHARED_PENALTY * shared.square().sum()
        return (missed + 0.5 * penalty) / len(mixed)

    minimise(loss, [shared, own])
    weights = np.tile(shared.detach().numpy() / scale, (num_steps, 1))
    weights[numbers] += own.detach().numpy() / scale
    return weights.astype(np.float32)


def log_shares(examples: Examples, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``(n, width)`` log-softmax of the mixed scores; −inf beyond the end of a row."""
    mixed = np.einsum("nwc,nc->nw", examples.columns, weights[examples.steps])
    weighted = mixed + examples.log_weights
    top = weighted.max(axis=1, keepdims=True)
    total = top + np.log(np.exp(weighted - top).sum(axis=1, keepdims=True))
    found = np.where(np.isfinite(examples.log_weights), mixed - total, -np.inf)
    return np.asarray(found, dtype=np.float32)


def fit_calibration(
    examples: Examples,
    weights: NDArray[np.float32],
    log_missing: NDArray[np.float32],
    *,
    shrinkage: float,
) -> Calibration:
    """Fit the map to probabilities on the best tails of each row.

    Args:
        examples: Rows, at least one.
        weights: ``(num_steps, num_columns)``.
        log_missing: ``(n,)``: κ · log P of each row.
        shrinkage: Pull towards the shared offset, in rows.
    """
    shares = log_shares(examples, weights)
    count = min(BEST, shares.shape[1])
    # a sampled tail stands for others and is none of the best
    shares = np.where(examples.log_weights == 0.0, shares, -np.inf)
    best = np.argpartition(-shares, count - 1, axis=1)[:, :count]
    chosen = np.take_along_axis(shares, best, axis=1)
    real = np.isfinite(chosen)
    rows = np.nonzero(real)[0]
    further = _further(examples, len(weights), shrinkage)
    log_number = np.log1p(further[examples.steps] * examples.num_known)
    share = torch.from_numpy(chosen[real] + log_number[rows])
    prior = torch.from_numpy(log_missing[rows])
    hit = torch.from_numpy(np.take_along_axis(examples.hits, best, axis=1)[real].astype(np.float32))
    numbers, owners = np.unique(examples.steps, return_inverse=True)
    owner = torch.from_numpy(owners[rows])
    common = torch.tensor([1.0, 0.0], requires_grad=True)
    own = torch.zeros(len(numbers), requires_grad=True)

    def loss() -> torch.Tensor:
        odds = common[0] * share + common[1] + own[owner] + prior
        fit = binary_cross_entropy_with_logits(odds, hit, reduction="sum")
        return (fit + 0.5 * shrinkage * own.square().sum()) / len(hit)

    minimise(loss, [common, own])
    slope, offset = common.detach().numpy().tolist()
    offsets = np.full(len(weights), offset, dtype=np.float32)
    offsets[numbers] += own.detach().numpy()
    return Calibration(slope=slope, further=further, offsets=offsets)


def _further(examples: Examples, num_steps: int, shrinkage: float) -> NDArray[np.float32]:
    """Return further missing tails for each known one, by directed relation, drawn to the mean."""
    more = np.bincount(examples.steps, examples.num_missing - 1.0, minlength=num_steps)
    known = np.bincount(examples.steps, examples.num_known, minlength=num_steps)
    prior = shrinkage * max(1e-6, float(examples.num_known.mean()))
    mean = more.sum() / max(1.0, known.sum())
    return np.asarray((more + mean * prior) / (known + prior), dtype=np.float32)


def _spread(examples: Examples) -> NDArray[np.float32]:
    """Return ``(num_columns,)`` standard deviations among the best tails, 1 where there is none."""
    values = examples.columns[examples.log_weights == 0.0]
    spread = values.std(axis=0, dtype=np.float64)
    return np.where(spread > 1e-6, spread, 1.0).astype(np.float32)
