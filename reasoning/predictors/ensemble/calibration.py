"""The map from the softmax of an ensemble to probabilities, and its fit on rows that walks meet.

log-odds = slope · log(n · softmax) + offset_d + κ · log P(the head misses an edge of d) + β · top.
n = 1 + further_d · (known tails) is how many tails a row misses in the mean, given that it misses
one: a row of a thousand known tails misses a hundred, and each has but a hundredth of the softmax.
top is the best mixed score of the row, before the softmax takes it away: where no tail scores
well, the best of them is not to be believed; slope rises or falls with it alike. Offsets are drawn
towards a shared one.

A query compares tails of different rows, and it meets rows as often as they have edges, whether
they miss one or not. So the map is fitted on rows drawn like that. Fitted on rows with a missing
edge alone, with κ = 1, it ranks the tails of two rows that a walk met worse: MRR 19.7 instead of
20.9 (NELL995's validation edges, half of the rows fitted on, pairs of the others).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from reasoning.predictors.ensemble.examples import Examples
from reasoning.predictors.ensemble.fitting import mixed_scores
from reasoning.predictors.ensemble.minimising import minimise

__all__ = ["BEST", "Calibration", "fit_calibration"]

BEST = 10
"""Best new tails of each row that probabilities are fitted on (`specs`: the edges' population)."""

_SHARED_PENALTY = 1e-2
_FURTHEST = 3.0
"""Standard deviations beyond which a row's best score says no more."""
_LEAST_SLOPE = 0.05

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """How a log-softmax becomes log-odds.

    Attributes:
        shared: ``(6,)``: slope, its change with the top, β, κ, and mean and standard deviation of
            tops, by which they are scaled.
        further: ``(2 * num_relations,)`` further missing tails for each known one.
        offsets: ``(2 * num_relations,)`` of each directed relation.
    """

    shared: Floats
    further: Floats
    offsets: Floats

    @property
    def completeness(self) -> float:
        """κ: how much it counts whether the head misses an edge at all."""
        return float(self.shared[3])

    def number(self, steps: Ids, num_known: NDArray[np.integer]) -> Floats:
        """Return ``(n,)`` log n of rows of so many known tails."""
        return np.asarray(np.log1p(self.further[steps] * num_known), dtype=np.float32)

    def lines(self, tops: Floats, numbers: Floats, steps: Ids) -> tuple[Floats, Floats]:
        """Return slope and shift of rows: log-odds = slope · log softmax + shift + κ · log P.

        Args:
            tops: ``(n,)`` best mixed score of each row.
            numbers: ``(n,)`` log n.
            steps: ``(n,)`` directed relations.
        """
        top = np.clip((tops - self.shared[4]) / self.shared[5], -_FURTHEST, _FURTHEST)
        return self._lines(top, numbers, steps)

    def most(self, numbers: Floats, steps: Ids) -> Floats:
        """Return ``(n,)`` the largest shift that a row may have, whatever its best score."""
        ends = [
            self._lines(np.full(len(steps), end, dtype=np.float32), numbers, steps)[1]
            for end in (-_FURTHEST, _FURTHEST)
        ]
        return np.maximum(*ends)

    def _lines(self, top: Floats, numbers: Floats, steps: Ids) -> tuple[Floats, Floats]:
        slope, by_top, odds_by_top = self.shared[:3]
        slopes = np.maximum(slope + by_top * top, _LEAST_SLOPE).astype(np.float32)
        shifts = slopes * numbers + self.offsets[steps] + odds_by_top * top
        return slopes, shifts.astype(np.float32)


def fit_calibration(
    examples: Examples,
    counts: Ids,
    weights: Floats,
    log_missing: Floats,
    further: Floats,
    *,
    shrinkage: float,
) -> Calibration:
    """Fit the map to probabilities on the best tails of each row.

    Args:
        examples: Rows, at least one.
        counts: ``(n,)`` how often each was met.
        weights: ``(num_steps, num_columns)``.
        log_missing: ``(n,)``: log P of each row.
        further: ``(num_steps,)``, see `Calibration`.
        shrinkage: Pull towards the shared offset, in rows.
    """
    shares, tops = _shares_and_tops(examples, weights)
    count = min(BEST, shares.shape[1])
    # a sampled tail stands for others and is none of the best
    shares = np.where(examples.log_weights == 0.0, shares, -np.inf)
    best = np.argpartition(-shares, count - 1, axis=1)[:, :count]
    chosen = np.take_along_axis(shares, best, axis=1)
    real = np.isfinite(chosen)
    rows = torch.from_numpy(np.nonzero(real)[0])
    log_number = np.log1p(further[examples.steps] * examples.num_known)
    share = torch.from_numpy(chosen[real] + log_number[rows.numpy()])
    centre, spread = float(tops.mean()), float(tops.std()) + 1e-6
    top = torch.from_numpy(np.clip((tops - centre) / spread, -_FURTHEST, _FURTHEST))[rows]
    prior = torch.from_numpy(log_missing)[rows]
    weight = torch.from_numpy(counts.astype(np.float32))[rows]
    hit = torch.from_numpy(np.take_along_axis(examples.hits, best, axis=1)[real].astype(np.float32))
    numbers, owners = np.unique(examples.steps, return_inverse=True)
    owner = torch.from_numpy(owners)[rows]
    common = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0], requires_grad=True)
    own = torch.zeros(len(numbers), requires_grad=True)

    def loss() -> torch.Tensor:
        slope = (common[0] + common[1] * top).clamp(min=_LEAST_SLOPE)
        odds = slope * share + common[2] * top + common[3] * prior + common[4] + own[owner]
        fit = binary_cross_entropy_with_logits(odds, hit, weight=weight, reduction="sum")
        penalty = shrinkage * own.square().sum() + _SHARED_PENALTY * common[1:4].square().sum()
        return (fit + 0.5 * penalty) / weight.sum()

    minimise(loss, [common, own])
    slope, by_top, odds_by_top, completeness, offset = common.detach().numpy().tolist()
    offsets = np.full(len(weights), offset, dtype=np.float32)
    offsets[numbers] += own.detach().numpy()
    shared = [slope, by_top, odds_by_top, completeness, centre, spread]
    return Calibration(shared=np.array(shared, dtype=np.float32), further=further, offsets=offsets)


def _shares_and_tops(examples: Examples, weights: Floats) -> tuple[Floats, Floats]:
    """Return ``(n, width)`` log-softmax, −inf beyond the end of a row, and ``(n,)`` best scores."""
    mixed = mixed_scores(examples, weights)
    weighted = mixed + examples.log_weights
    top = weighted.max(axis=1, keepdims=True)
    total = top + np.log(np.exp(weighted - top).sum(axis=1, keepdims=True))
    real = np.isfinite(examples.log_weights)
    shares = np.where(real, mixed - total, -np.inf).astype(np.float32)
    return shares, np.where(real, mixed, -np.inf).max(axis=1).astype(np.float32)
