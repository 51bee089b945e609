"""The map from the softmax of an ensemble to probabilities, and its fit on two kinds of rows.

log-odds = slope · log(n · softmax) + offset_d + κ · log P(the head misses an edge of d) + β · top.
n = 1 + further_d · (known tails) is how many tails a row misses in the mean, given that it misses
one: a row of a thousand known tails misses a hundred, and each has but a hundredth of the softmax.
Offsets are drawn towards a shared one.

Rows that miss an edge (`fit_calibration`): κ is a setting, and β is 0. These are the rows that
somebody asks a new edge of, and what is negated in a query that a missing edge changes.

Rows as walks meet them (`fit_walked`), by their edges, most of which miss nothing: κ is fitted, and
so is β. top is the best mixed score of the row, before the softmax takes it away: where no tail
scores well, the best of them is not to be believed; slope rises or falls with it alike. A query
without a negation compares tails of such rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from reasoning.predictors.ensemble.examples import Examples
from reasoning.predictors.ensemble.fitting import further_missing, mixed_scores
from reasoning.predictors.ensemble.minimising import minimise

__all__ = ["Calibration", "fit_calibration", "fit_walked"]

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
        slope: Factor of log(n · softmax).
        completeness: κ: how much it counts whether the head misses an edge at all.
        further: ``(2 * num_relations,)`` further missing tails for each known one.
        offsets: ``(2 * num_relations,)`` of each directed relation.
        slope_by_top: Change of the slope with the top.
        odds_by_top: β.
        top_mean: Of the rows that it was fitted on.
        top_deviation: Standard deviation of the same; tops are scaled by both.
    """

    slope: float
    completeness: float
    further: Floats
    offsets: Floats
    slope_by_top: float = 0.0
    odds_by_top: float = 0.0
    top_mean: float = 0.0
    top_deviation: float = 1.0

    def log_number(self, steps: Ids, num_known: NDArray[np.integer]) -> Floats:
        """Return ``(n,)`` log n of rows of so many known tails."""
        return np.asarray(np.log1p(self.further[steps] * num_known), dtype=np.float32)

    def by_top(self, top: float) -> tuple[float, float]:
        """Return slope and β · top of a row with this best mixed score."""
        scaled = (top - self.top_mean) / self.top_deviation
        return self._by_scaled(min(max(scaled, -_FURTHEST), _FURTHEST))

    def most(self, log_number: Floats) -> Floats:
        """Return ``(n,)`` slope · log n + β · top, at most, of rows with any best score."""
        ends = [self._by_scaled(end) for end in (-_FURTHEST, _FURTHEST)]
        low, high = (slope * log_number + odds for slope, odds in ends)
        return np.asarray(np.maximum(low, high), dtype=np.float32)

    def _by_scaled(self, top: float) -> tuple[float, float]:
        return max(self.slope + self.slope_by_top * top, _LEAST_SLOPE), self.odds_by_top * top


def fit_calibration(
    examples: Examples,
    weights: Floats,
    log_missing: Floats,
    *,
    completeness: float,
    shrinkage: float,
) -> Calibration:
    """Fit the map on the best tails of rows that miss an edge.

    Args:
        examples: Rows, at least one.
        weights: ``(num_steps, num_columns)``.
        log_missing: ``(n,)``: log P of each row.
        completeness: κ.
        shrinkage: Pull towards the shared offset, in rows.
    """
    further = further_missing(examples, len(weights), shrinkage)
    best = _best_tails(examples, weights, further)
    prior = completeness * torch.from_numpy(log_missing)[best.rows]
    common = torch.tensor([1.0, 0.0], requires_grad=True)
    own = torch.zeros(len(best.numbers), requires_grad=True)

    def loss() -> torch.Tensor:
        odds = common[0] * best.shares + common[1] + own[best.owners] + prior
        fit = binary_cross_entropy_with_logits(odds, best.hits, reduction="sum")
        return (fit + 0.5 * shrinkage * own.square().sum()) / len(best.hits)

    minimise(loss, [common, own])
    slope, offset = common.detach().numpy().tolist()
    return Calibration(
        slope=slope,
        completeness=completeness,
        further=further,
        offsets=best.offsets(offset, own, len(weights)),
    )


def fit_walked(
    examples: Examples,
    counts: Ids,
    weights: Floats,
    log_missing: Floats,
    further: Floats,
    *,
    shrinkage: float,
) -> Calibration:
    """Fit the map on the best tails of rows as walks meet them.

    Args:
        examples: Rows, at least one.
        counts: ``(n,)`` how often each was met.
        weights: ``(num_steps, num_columns)``.
        log_missing: ``(n,)``: log P of each row.
        further: ``(num_steps,)``, see `Calibration`.
        shrinkage: Pull towards the shared offset, in rows.
    """
    best = _best_tails(examples, weights, further)
    mean, deviation = float(best.tops.mean()), float(best.tops.std()) + 1e-6
    scaled = np.clip((best.tops - mean) / deviation, -_FURTHEST, _FURTHEST)
    top, prior = torch.from_numpy(scaled)[best.rows], torch.from_numpy(log_missing)[best.rows]
    met = torch.from_numpy(counts.astype(np.float32))[best.rows]
    common = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0], requires_grad=True)
    own = torch.zeros(len(best.numbers), requires_grad=True)

    def loss() -> torch.Tensor:
        slope = (common[0] + common[1] * top).clamp(min=_LEAST_SLOPE)
        odds = slope * best.shares + common[2] * top + common[3] * prior + common[4]
        fit = binary_cross_entropy_with_logits(
            odds + own[best.owners], best.hits, weight=met, reduction="sum"
        )
        penalty = shrinkage * own.square().sum() + _SHARED_PENALTY * common[1:4].square().sum()
        return (fit + 0.5 * penalty) / met.sum()

    minimise(loss, [common, own])
    slope, slope_by_top, odds_by_top, completeness, offset = common.detach().numpy().tolist()
    return Calibration(
        slope=slope,
        completeness=completeness,
        further=further,
        offsets=best.offsets(offset, own, len(weights)),
        slope_by_top=slope_by_top,
        odds_by_top=odds_by_top,
        top_mean=mean,
        top_deviation=deviation,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _BestTails:
    """The best new tails of some rows.

    Attributes:
        rows: ``(m,)`` the row of each tail.
        shares: ``(m,)`` log(n · softmax).
        hits: ``(m,)`` whether it is a missing edge.
        tops: ``(num_rows,)`` best mixed score of each row.
        numbers: Directed relations of the rows, each once.
        owners: ``(m,)`` position in `numbers` of each tail's relation.
    """

    rows: torch.Tensor
    shares: torch.Tensor
    hits: torch.Tensor
    tops: Floats
    numbers: Ids
    owners: torch.Tensor

    def offsets(self, shared: float, own: torch.Tensor, num_steps: int) -> Floats:
        found = np.full(num_steps, shared, dtype=np.float32)
        found[self.numbers] += own.detach().numpy()
        return found


def _best_tails(examples: Examples, weights: Floats, further: Floats) -> _BestTails:
    shares, tops = _shares_and_tops(examples, weights)
    count = min(BEST, shares.shape[1])
    # a sampled tail stands for others and is none of the best
    shares = np.where(examples.log_weights == 0.0, shares, -np.inf)
    best = np.argpartition(-shares, count - 1, axis=1)[:, :count]
    chosen = np.take_along_axis(shares, best, axis=1)
    real = np.isfinite(chosen)
    rows = np.nonzero(real)[0]
    log_number = np.log1p(further[examples.steps] * examples.num_known)
    hits = np.take_along_axis(examples.hits, best, axis=1)[real]
    numbers, owners = np.unique(examples.steps, return_inverse=True)
    return _BestTails(
        rows=torch.from_numpy(rows),
        shares=torch.from_numpy(chosen[real] + log_number[rows]),
        hits=torch.from_numpy(hits.astype(np.float32)),
        tops=tops,
        numbers=numbers,
        owners=torch.from_numpy(owners[rows]),
    )


def _shares_and_tops(examples: Examples, weights: Floats) -> tuple[Floats, Floats]:
    """Return ``(n, width)`` log-softmax, −inf beyond the end of a row, and ``(n,)`` best scores."""
    mixed = mixed_scores(examples, weights)
    weighted = mixed + examples.log_weights
    top = weighted.max(axis=1, keepdims=True)
    total = top + np.log(np.exp(weighted - top).sum(axis=1, keepdims=True))
    real = np.isfinite(examples.log_weights)
    shares = np.where(real, mixed - total, -np.inf).astype(np.float32)
    return shares, np.where(real, mixed, -np.inf).max(axis=1).astype(np.float32)
