"""Recall of scene graphs: R@K and mR@K, with and without graph constraint (`specs/evaluation.md`).

Everything follows from one number a gold triplet: its rank among the guesses of its image. R@K is
the share of triplets of rank at most K, all images together; mR@K is the mean of that share over
the predicates that occur; zR@K is R@K of the triplets whose classes were never seen so in training.
With graph constraint a pair gives only its best predicate; without, all of them compete. Equal
scores are put in the worst order for us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError

__all__ = ["RecallReport", "ScoredImage", "TripletRanks", "recall", "recall_at", "triplet_ranks"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class ScoredImage:
    """The guesses of one image, and which of them are right.

    Attributes:
        scores: ``(pairs, predicates)``, higher is better, finite.
        predicate: ``(triplets,)`` predicate of each gold triplet.
        hits: ``(n, 2)`` number of a pair and of a gold triplet which that pair is, if it has the
            triplet's predicate. A triplet without a pair can never be found; where regions are
            detected, several pairs may be one triplet.
    """

    scores: Floats
    predicate: Integers
    hits: Integers

    @classmethod
    def of_pairs(cls, scores: Floats, said: Mask) -> ScoredImage:
        """Take each annotated predicate of a given pair for a gold triplet.

        Args:
            scores: ``(pairs, predicates)``.
            said: ``(pairs, predicates)``, which are annotated.

        Raises:
            InputError: The shapes differ.
        """
        if scores.shape != said.shape:
            raise InputError(f"scores of shape {scores.shape} for gold of shape {said.shape}")
        pair, predicate = np.nonzero(said)
        return cls(scores, predicate, np.stack([pair, np.arange(len(pair))], axis=1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TripletRanks:
    """Where the gold triplets of several images stand.

    Attributes:
        image: ``(n,)`` number of each triplet's image.
        predicate: ``(n,)``.
        rank: ``(n,)`` among the guesses of its image, from 1; infinite where no guess is it.
        predicates: Size of the vocabulary.
    """

    image: Integers
    predicate: Integers
    rank: Floats
    predicates: int

    @classmethod
    def joined(cls, parts: Sequence[TripletRanks], sizes: Sequence[int]) -> TripletRanks:
        """Put parts of a set of images together.

        Args:
            parts: Of consecutive images.
            sizes: How many images each part has.
        """
        starts = np.cumsum([0, *sizes[:-1]])
        return cls(
            image=np.concatenate([p.image + s for p, s in zip(parts, starts, strict=True)]),
            predicate=np.concatenate([part.predicate for part in parts]),
            rank=np.concatenate([part.rank for part in parts]),
            predicates=parts[0].predicates,
        )

    def only(self, rows: Mask) -> TripletRanks:
        """Return some of the triplets.

        Args:
            rows: ``(n,)``.
        """
        return TripletRanks(
            image=self.image[rows],
            predicate=self.predicate[rows],
            rank=self.rank[rows],
            predicates=self.predicates,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecallReport:
    """Recall at one K.

    Attributes:
        n: Gold triplets.
        images: ``(units,)`` numbers of the images that have a gold triplet.
        recall: Pooled over triplets.
        recall_by_image: Mean over the images that have a gold triplet.
        mean_recall: Mean over predicates of the pooled recall of each.
        by_predicate: Pooled recall by number of the predicate; NaN where it does not occur.
        recall_units: ``(units,)`` what each image adds to the recall, scaled so that the mean is
            `recall`: linear in the hits, so a bootstrap over images may draw them.
        mean_recall_units: ``(units,)`` the same for `mean_recall`.
    """

    n: int
    images: Integers
    recall: float
    recall_by_image: float
    mean_recall: float
    by_predicate: Floats
    recall_units: Floats
    mean_recall_units: Floats

    @property
    def standard_error(self) -> float:
        """Of `recall`, over images; NaN for a single one."""
        return _error(self.recall_units)

    @property
    def mean_recall_standard_error(self) -> float:
        """Of `mean_recall`, over images; NaN for a single one."""
        return _error(self.mean_recall_units)


def recall_at(images: Sequence[ScoredImage], k: int, *, constrained: bool) -> RecallReport:
    """Compute recall at K.

    Args:
        images: All of one number of predicates.
        k: Guesses of an image.
        constrained: One predicate a pair.

    Raises:
        InputError: No gold triplet, or a score that is not finite.

    Example:
        >>> said = np.array([[0, 1], [0, 1]]) > 0
        >>> image = ScoredImage.of_pairs(np.array([[0.9, 0.1], [0.2, 0.3]]), said)
        >>> recall_at([image], 2, constrained=True).recall
        0.5
        >>> recall_at([image], 4, constrained=False).recall
        1.0
    """
    return recall(triplet_ranks(images, constrained=constrained), k)


def triplet_ranks(images: Sequence[ScoredImage], *, constrained: bool) -> TripletRanks:
    """Rank the gold triplets of images, in their order.

    Args:
        images: All of one number of predicates.
        constrained: One predicate a pair.

    Raises:
        InputError: The images differ in predicates, there are none, or a score is not finite.
    """
    width = {image.scores.shape[1] for image in images}
    if len(width) != 1:
        raise InputError("the images have different numbers of predicates, or there are none")
    sizes = [len(image.predicate) for image in images]
    return TripletRanks(
        image=np.repeat(np.arange(len(images)), sizes),
        predicate=np.concatenate([image.predicate for image in images]),
        rank=np.concatenate([_ranks(image, constrained=constrained) for image in images]),
        predicates=width.pop(),
    )


def _ranks(image: ScoredImage, *, constrained: bool) -> Floats:
    scores = image.scores
    if not np.isfinite(scores).all():
        raise InputError("a score is not finite")
    pair, triplet = image.hits.T
    cell = pair, image.predicate[triplet]
    right = np.zeros(scores.shape, dtype=bool)
    right[cell] = True
    allowed = np.ones(scores.shape, dtype=bool)
    if constrained and scores.size:
        # of equal predicates the pair gives a wrong one, if there is one
        best = np.lexsort((right, -scores), axis=1)[:, 0]
        allowed = np.zeros(scores.shape, dtype=bool)
        allowed[np.arange(len(scores)), best] = True
    order = np.lexsort((right[allowed], -scores[allowed]))
    place = np.full(scores.shape, np.inf)
    ranks = np.empty(len(order))
    ranks[order] = np.arange(1, len(order) + 1)
    place[allowed] = ranks
    found = np.full(len(image.predicate), np.inf)
    np.minimum.at(found, triplet, place[cell])
    return found


def recall(ranks: TripletRanks, k: int) -> RecallReport:
    """Compute recall at K of ranked triplets.

    Args:
        ranks: Of all triplets, or of a group of them.
        k: Guesses of an image.

    Raises:
        InputError: There is no triplet, or K is below 1.
    """
    if k < 1:
        raise InputError(f"K must be at least 1, got {k}")
    if len(ranks.rank) == 0:
        raise InputError("no image has a gold triplet")
    hit: Floats = (ranks.rank <= k).astype(np.float64)
    of = np.bincount(ranks.predicate, minlength=ranks.predicates)
    hits = np.bincount(ranks.predicate, weights=hit, minlength=ranks.predicates)
    by_predicate = np.full(ranks.predicates, np.nan)
    np.divide(hits, of, out=by_predicate, where=of > 0)
    images, unit = np.unique(ranks.image, return_inverse=True)
    pooled, mean = float(hit.mean()), float(np.nanmean(by_predicate))
    excess: Floats = hit - by_predicate[ranks.predicate]
    weight = 1 / (of[ranks.predicate] * np.count_nonzero(of))
    return RecallReport(
        n=len(hit),
        images=images,
        recall=pooled,
        recall_by_image=float((np.bincount(unit, weights=hit) / np.bincount(unit)).mean()),
        mean_recall=mean,
        by_predicate=by_predicate,
        recall_units=_units(pooled, unit, (hit - pooled) / len(hit)),
        mean_recall_units=_units(mean, unit, excess * weight),
    )


def _units(figure: float, unit: Integers, influence: Floats) -> Floats:
    """Spread a figure over images: each has the figure and, scaled, what its triplets add."""
    added: Floats = np.bincount(unit, weights=influence).astype(np.float64)
    return figure + len(added) * added


def _error(units: Floats) -> float:
    """Standard error of a ratio of sums over images, by linearisation."""
    return float(units.std(ddof=1) / np.sqrt(len(units))) if len(units) > 1 else float("nan")
