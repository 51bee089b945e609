"""Recall of scene graphs: R@K and mR@K, with and without graph constraint (`specs/evaluation.md`).

All images together: the share of gold triplets that stand among the K best of their image. mR is
the mean of that share over the predicates that occur. With graph constraint a pair gives only its
best predicate; without, all of them compete. Equal scores are put in the worst order for us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError

__all__ = ["RecallReport", "ScoredImage", "recall_at"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScoredImage:
    """The pairs of one image.

    Attributes:
        scores: ``(pairs, predicates)``, higher is better, finite.
        gold: ``(pairs, predicates)`` bool.
    """

    scores: Floats
    gold: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallReport:
    """Recall at one K.

    Attributes:
        n: Gold triplets.
        recall: Pooled over triplets.
        recall_by_image: Mean over the images that have a gold triplet.
        mean_recall: Mean over predicates of the pooled recall of each.
        by_predicate: Pooled recall by number of the predicate; NaN where it does not occur.
        standard_error: Of `recall`, over images.
    """

    n: int
    recall: float
    recall_by_image: float
    mean_recall: float
    by_predicate: Floats
    standard_error: float


def recall_at(images: Sequence[ScoredImage], k: int, *, constrained: bool) -> RecallReport:
    """Compute recall at K.

    Args:
        images: All of one number of predicates.
        k: Guesses of an image.
        constrained: One predicate a pair.

    Raises:
        InputError: No gold triplet, shapes that differ, or a score that is not finite.

    Example:
        >>> image = ScoredImage(np.array([[0.9, 0.1], [0.2, 0.3]]), np.array([[0, 1], [0, 1]]) > 0)
        >>> recall_at([image], 2, constrained=True).recall
        0.5
        >>> recall_at([image], 4, constrained=False).recall
        1.0
    """
    if k < 1:
        raise InputError(f"K must be at least 1, got {k}")
    width = {image.scores.shape[1:] for image in images}
    if len(width) != 1:
        raise InputError("the images have different numbers of predicates, or there are none")
    hits = np.zeros((len(images), *width.pop()))
    gold = np.zeros_like(hits)
    for row, image in enumerate(images):
        hits[row], gold[row] = _hits(image, k, constrained=constrained)
    if gold.sum() == 0:
        raise InputError("no image has a gold triplet")
    pooled = float(hits.sum() / gold.sum())
    occurs = gold.sum(axis=0) > 0
    by_predicate = np.full(len(occurs), np.nan)
    by_predicate[occurs] = hits.sum(axis=0)[occurs] / gold.sum(axis=0)[occurs]
    per_image, of = hits.sum(axis=1), gold.sum(axis=1)
    some = of > 0
    return RecallReport(
        n=int(gold.sum()),
        recall=pooled,
        recall_by_image=float((per_image[some] / of[some]).mean()),
        mean_recall=float(by_predicate[occurs].mean()),
        by_predicate=by_predicate,
        standard_error=_ratio_error(per_image[some], of[some], pooled),
    )


def _hits(image: ScoredImage, k: int, *, constrained: bool) -> tuple[Floats, Floats]:
    scores, gold = image.scores, image.gold
    if scores.shape != gold.shape:
        raise InputError(f"scores of shape {scores.shape} for gold of shape {gold.shape}")
    if not np.isfinite(scores).all():
        raise InputError("a score is not finite")
    allowed = np.ones(scores.shape, dtype=bool)
    if constrained and scores.size:
        # of equal predicates the pair gives a wrong one, if there is one
        best = np.lexsort((gold, -scores), axis=1)[:, 0]
        allowed = np.zeros(scores.shape, dtype=bool)
        allowed[np.arange(len(scores)), best] = True
    pairs, predicates = np.nonzero(allowed)
    flat, right = scores[pairs, predicates], gold[pairs, predicates]
    order = np.lexsort((right, -flat))[:k]
    kept = right[order]
    hits = np.bincount(predicates[order][kept], minlength=scores.shape[1])
    return hits.astype(np.float64), gold.sum(axis=0).astype(np.float64)


def _ratio_error(hits: Floats, gold: Floats, ratio: float) -> float:
    """Standard error of a ratio of sums over images, by linearisation."""
    if len(hits) < 2:
        return float("nan")
    residual = hits - ratio * gold
    return float(np.sqrt(len(hits) * residual.var(ddof=1)) / gold.sum())
