"""Are probabilities what they say? Expected calibration error, reliability, and two fitted maps.

A fitted map is plain numbers: it serialises to JSON and needs no scikit-learn to be applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kg.errors import InputError

__all__ = [
    "BINS",
    "Calibration",
    "Isotonic",
    "Platt",
    "ReliabilityBin",
    "calibration_from_json",
    "ece",
    "fit_isotonic",
    "fit_platt",
    "reliability",
]

BINS = 15
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """One bin of a reliability table.

    Attributes:
        count: Items in it.
        mean_probability: What was said.
        share_true: What came true.
        lowest: Smallest probability in it.
        highest: Largest probability in it.
    """

    count: int
    mean_probability: float
    share_true: float
    lowest: float
    highest: float


def reliability(
    probabilities: ArrayLike, outcomes: ArrayLike, *, bins: int = BINS
) -> tuple[ReliabilityBin, ...]:
    """Return the reliability table over bins of equal mass, lowest probabilities first.

    Equal probabilities share a bin (that of the first of them), so the table does not depend on the
    order of the items and may have fewer bins.

    Args:
        probabilities: ``(n,)`` in [0, 1].
        outcomes: ``(n,)`` truth values.
        bins: Most bins.

    Raises:
        InputError: There are no items, shapes differ, or a probability lies outside [0, 1].
    """
    said, true = _checked(probabilities, outcomes)
    order = np.argsort(said, kind="stable")
    said, true = said[order], true[order]
    first = np.searchsorted(said, said, side="left")
    number = first * bins // len(said)
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    ends = np.append(starts[1:], len(said))
    return tuple(
        ReliabilityBin(
            count=int(end - start),
            mean_probability=float(said[start:end].mean()),
            share_true=float(true[start:end].mean()),
            lowest=float(said[start]),
            highest=float(said[end - 1]),
        )
        for start, end in zip(starts, ends, strict=True)
    )


def ece(probabilities: ArrayLike, outcomes: ArrayLike, *, bins: int = BINS) -> float:
    """Return the expected calibration error over bins of equal mass, in [0, 1].

    Sum over bins of |share that came true - mean probability| weighted by the bin's share of items
    (Naeini et al. 2015, with equal-mass bins). Say beside it over which items: over all candidates
    of a ranking it is near 0 whatever a model does.

    Raises:
        InputError: There are no items, shapes differ, or a probability lies outside [0, 1].

    Example:
        >>> ece([0.5, 0.5], [True, False])
        0.0
    """
    table = reliability(probabilities, outcomes, bins=bins)
    total = sum(part.count for part in table)
    gaps = (part.count * abs(part.share_true - part.mean_probability) for part in table)
    return float(sum(gaps) / total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Isotonic:
    """A monotone map through points; straight between them, constant outside.

    Attributes:
        scores: Ascending.
        probabilities: Not descending, in [0, 1].
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]
    kind: Literal["isotonic"] = "isotonic"

    def __post_init__(self) -> None:
        """Check that the points make a monotone map."""
        if not self.scores or len(self.scores) != len(self.probabilities):
            raise InputError("an isotonic map needs as many probabilities as scores, at least one")
        values = np.array(self.probabilities)
        rising = np.all(np.diff(self.scores) >= 0) and np.all(np.diff(values) >= 0)
        if not (rising and np.isfinite(self.scores).all() and 0 <= values[0] <= values[-1] <= 1):
            raise InputError("an isotonic map needs rising scores and probabilities in [0, 1]")

    def apply(self, scores: ArrayLike) -> Floats:
        """Return the probability of each score."""
        return np.interp(np.asarray(scores, dtype=np.float64), self.scores, self.probabilities)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "kind": self.kind,
            "scores": list(self.scores),
            "probabilities": list(self.probabilities),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Platt:
    """Probability = sigmoid(slope x score + intercept).

    Attributes:
        slope: Not negative for a score that means what it should.
        intercept: Log-odds at score 0.
    """

    slope: float
    intercept: float
    kind: Literal["platt"] = "platt"

    def __post_init__(self) -> None:
        """Refuse numbers that are none."""
        if not np.isfinite([self.slope, self.intercept]).all():
            raise InputError("a Platt map needs finite numbers")

    def apply(self, scores: ArrayLike) -> Floats:
        """Return the probability of each score."""
        logits = self.slope * np.asarray(scores, dtype=np.float64) + self.intercept
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"kind": self.kind, "slope": self.slope, "intercept": self.intercept}


Calibration = Isotonic | Platt
"""A monotone map from scores to probabilities."""


def calibration_from_json(value: Mapping[str, Any]) -> Calibration:
    """Read what `to_json` of a map gave.

    Raises:
        InputError: It is no such map.
    """
    try:
        match value:
            case {"kind": "isotonic", "scores": scores, "probabilities": probabilities}:
                return Isotonic(
                    scores=tuple(map(float, scores)),
                    probabilities=tuple(map(float, probabilities)),
                )
            case {"kind": "platt", "slope": slope, "intercept": intercept}:
                return Platt(slope=float(slope), intercept=float(intercept))
            case _:
                raise InputError("not a calibration map: its kind or a field is missing")
    except (TypeError, ValueError) as error:
        raise InputError("not a calibration map: a field is no number") from error


def fit_isotonic(
    scores: ArrayLike, outcomes: ArrayLike, weights: ArrayLike | None = None
) -> Isotonic:
    """Fit the monotone map with the least squared error (scikit-learn's isotonic regression).

    Args:
        scores: ``(n,)``.
        outcomes: ``(n,)`` truth values.
        weights: ``(n,)`` not negative; all 1 if None.

    Raises:
        InputError: There are no items, shapes differ, or a score is not finite.
    """
    from sklearn.isotonic import IsotonicRegression

    values, true = _checked_scores(scores, outcomes)
    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    model.fit(values, true, sample_weight=None if weights is None else np.asarray(weights))
    return Isotonic(
        scores=tuple(map(float, model.X_thresholds_)),
        probabilities=tuple(map(float, model.y_thresholds_)),
    )


def fit_platt(scores: ArrayLike, outcomes: ArrayLike, weights: ArrayLike | None = None) -> Platt:
    """Fit a logistic map of one score with a weak penalty on its slope (scikit-learn, C = 1000).

    Where all outcomes or all scores are equal the slope is 0, and the probability is the share of
    true outcomes with one more of each kind counted in.

    Raises:
        InputError: There are no items, shapes differ, or a score is not finite.
    """
    from sklearn.linear_model import LogisticRegression

    values, true = _checked_scores(scores, outcomes)
    mean, spread = float(values.mean()), float(values.std())
    if np.all(true == true[0]) or spread == 0.0:
        share = (true.sum() + 1.0) / (len(true) + 2.0)
        return Platt(slope=0.0, intercept=float(np.log(share / (1.0 - share))))
    model = LogisticRegression(C=1000.0, max_iter=1000)
    scaled = ((values - mean) / spread)[:, None]
    model.fit(scaled, true > 0, sample_weight=None if weights is None else np.asarray(weights))
    slope = float(model.coef_[0, 0]) / spread
    return Platt(slope=slope, intercept=float(model.intercept_[0]) - slope * mean)


def _checked(probabilities: ArrayLike, outcomes: ArrayLike) -> tuple[Floats, Floats]:
    said, true = _checked_scores(probabilities, outcomes)
    wrong = np.flatnonzero((said < 0) | (said > 1))
    if len(wrong):
        raise InputError(
            f"the probability {said[wrong[0]]} lies outside [0, 1]", where=f"row {wrong[0]}"
        )
    return said, true


def _checked_scores(scores: ArrayLike, outcomes: ArrayLike) -> tuple[Floats, Floats]:
    values = np.asarray(scores, dtype=np.float64)
    true = np.asarray(outcomes, dtype=np.float64)
    if values.ndim != 1 or values.shape != true.shape:
        raise InputError(f"scores of shape {values.shape} do not fit outcomes of {true.shape}")
    if len(values) == 0:
        raise InputError("there are no items to calibrate on")
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise InputError(f"the score {values[wrong[0]]} is not finite", where=f"row {wrong[0]}")
    return values, true
