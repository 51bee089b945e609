"""Figures of linking: hits in ranked lists, NIL, AUROC, and what abstaining buys."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kg.errors import InputError

__all__ = ["NilScores", "RiskCoverage", "auroc", "hits_in_lists", "nil_scores", "risk_coverage"]


def hits_in_lists(
    ranked: Sequence[Sequence[Hashable]], gold: Sequence[Hashable], k: int
) -> NDArray[np.bool_]:
    """Tell for each item whether its gold answer is among the first k of its ranked list.

    The mean of the result is H@k (or recall of candidates at k). A list that holds a candidate
    twice is refused: it would hide a tie.

    Raises:
        InputError: Lengths differ, or a list holds a candidate twice.

    Example:
        >>> hits_in_lists([["a", "b"], ["c"]], ["b", "b"], k=2).tolist()
        [True, False]
    """
    if len(ranked) != len(gold):
        raise InputError(f"{len(ranked)} lists do not fit {len(gold)} gold answers")
    for row, candidates in enumerate(ranked):
        if len(set(candidates)) != len(candidates):
            raise InputError("a candidate stands twice in a ranked list", where=f"row {row}")
    return np.array([g in c[:k] for c, g in zip(ranked, gold, strict=True)], dtype=np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class NilScores:
    """How well "no entity of the base" is told; each in [0, 1].

    Attributes:
        precision: Of what was called NIL, the share that is; 0 where nothing was called NIL.
        recall: Of what is NIL, the share that was called so; 0 where nothing is NIL.
        f1: Their harmonic mean.
    """

    precision: float
    recall: float
    f1: float


def nil_scores(predicted: ArrayLike, gold: ArrayLike) -> NilScores:
    """Return precision, recall and F1 of NIL.

    Args:
        predicted: ``(n,)`` true where the linker said NIL.
        gold: ``(n,)`` true where NIL is right.

    Raises:
        InputError: Shapes differ.
    """
    said, true = _paired_truths(predicted, gold)
    both = int(np.count_nonzero(said & true))
    precision = both / max(1, int(np.count_nonzero(said)))
    recall = both / max(1, int(np.count_nonzero(true)))
    f1 = 2 * precision * recall / (precision + recall) if both else 0.0
    return NilScores(precision=precision, recall=recall, f1=f1)


def auroc(scores: ArrayLike, positives: ArrayLike) -> float:
    """Return the area under the ROC curve: P(a positive scores higher) + P(a tie) / 2.

    Args:
        scores: ``(n,)`` higher means rather positive.
        positives: ``(n,)`` truth values.

    Raises:
        InputError: Shapes differ, a score is not finite, or only one class is there.

    Example:
        >>> auroc([0.1, 0.4, 0.4], [False, True, False])
        0.75
    """
    values, true = _scored(scores, positives)
    ups, downs = values[true], np.sort(values[~true])
    if len(ups) == 0 or len(downs) == 0:
        raise InputError("an AUROC needs positive and negative items")
    below = np.searchsorted(downs, ups, side="left")
    up_to = np.searchsorted(downs, ups, side="right")
    return float((below + up_to).sum() / (2.0 * len(ups) * len(downs)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RiskCoverage:
    """Error rate of the most confident items, by how many are kept.

    Attributes:
        coverage: ``(m,)`` share of items kept, rising to 1; equal confidences come together.
        risk: ``(m,)`` share of wrong items among those kept.
        low: ``(m,)`` lower end of the band.
        high: ``(m,)`` upper end of the band.
        area: Area under the curve; lower is better.
    """

    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    area: float


def risk_coverage(confidence: ArrayLike, correct: ArrayLike) -> RiskCoverage:
    """Return the risk–coverage curve with a 95 % band (Wilson's score interval at each point).

    Args:
        confidence: ``(n,)`` higher is kept longer.
        correct: ``(n,)`` truth values.

    Raises:
        InputError: Shapes differ, there are no items, or a confidence is not finite.
    """
    values, true = _scored(confidence, correct)
    if len(values) == 0:
        raise InputError("a risk–coverage curve needs at least one item")
    order = np.argsort(-values, kind="stable")
    values, wrong = values[order], np.cumsum(~true[order])
    last = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)
    kept = last + 1.0
    risk = wrong[last] / kept
    low, high = _wilson(risk, kept)
    coverage = kept / len(values)
    area = float(np.sum(risk * np.diff(coverage, prepend=0.0)))
    return RiskCoverage(coverage=coverage, risk=risk, low=low, high=high, area=area)


def _wilson(
    share: NDArray[np.float64], count: NDArray[np.float64], z: float = 1.959964
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    spread = np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) * z / (1 + z**2 / count)
    return np.clip(middle - spread, 0.0, 1.0), np.clip(middle + spread, 0.0, 1.0)


def _scored(scores: ArrayLike, truths: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values = np.asarray(scores, dtype=np.float64)
    true = np.asarray(truths, dtype=np.bool_)
    if values.ndim != 1 or values.shape != true.shape:
        raise InputError(f"scores of shape {values.shape} do not fit truth values of {true.shape}")
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise InputError(f"the score {values[wrong[0]]} is not finite", where=f"row {wrong[0]}")
    return values, true


def _paired_truths(one: ArrayLike, other: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    first, second = np.asarray(one, dtype=np.bool_), np.asarray(other, dtype=np.bool_)
    if first.ndim != 1 or first.shape != second.shape:
        raise InputError(f"predictions of {first.shape} do not fit gold of {second.shape}")
    return first, second
