"""Fine-grained boosting (CaCao, section 3.3): more annotations for rare predicates.

The prompted model looks again at pairs that bear only a coarse predicate or none, and adds a fine
one where it is confident. The result is plain annotated images, so that any model of relations
learns from them unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kg.errors import SettingError
from scenes.relations.annotations import AnnotatedImage
from scenes.relations.pairs import GEOMETRY, PairTable

__all__ = ["Boosted", "BoostingConfig", "PairScorer", "boost", "coarse_predicates"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_GAP_X, _GAP_Y = GEOMETRY.index("gap_x"), GEOMETRY.index("gap_y")


class PairScorer(Protocol):
    """Scores the predicates of pairs that have one (`scenes.cacao.prompted_model`)."""

    def log_probabilities(self, labels: Integers, measures: Floats) -> Floats:
        """Return ``(n, predicates)`` of labels ``(n, 2)`` and measures ``(n, measures)``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostingConfig:
    """Which pairs are looked at again, and what is believed.

    Attributes:
        coarse_share: The most frequent predicates that together hold this share of all
            annotations are coarse.
        coarse_confidence: Least probability of a fine predicate, among the fine ones of its pair,
            where a coarse one stands.
        bare_confidence: The same for pairs without annotation; above 1 leaves them alone.
        seen_only: Whether a pair of classes may only get a predicate that it has somewhere in the
            annotations.
        most: Additions of one predicate, as a multiple of its annotations (at least one).
        gap: Pairs without annotation whose boxes lie further apart are left alone, as a share of
            the image's longer side.

    Raises:
        SettingError: A number is out of its range.
    """

    coarse_share: float = 0.8
    coarse_confidence: float = 0.5
    bare_confidence: float = 0.9
    seen_only: bool = True
    most: float = 1.0
    gap: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.coarse_share < 1:
            raise SettingError(f"coarse_share must lie in (0, 1), got {self.coarse_share}")
        for name in ("coarse_confidence", "bare_confidence", "most", "gap"):
            if not getattr(self, name) >= 0:
                raise SettingError(f"{name} must not be negative, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boosted:
    """An enlarged training set.

    Attributes:
        images: The images with all triplets, those added too.
        rows: ``(added,)`` row of each addition in the pair table.
        predicates: ``(added,)`` what was added.
        confidence: ``(added,)`` its probability among the fine predicates.
        coarse: ``(added,)`` whether the pair had a coarse predicate; else it had none.
    """

    images: tuple[AnnotatedImage, ...]
    rows: Integers
    predicates: Integers
    confidence: Floats
    coarse: Flags

    def only(self, kept: Flags, images: Sequence[AnnotatedImage], pairs: PairTable) -> Boosted:
        """Return the boosting with some of its additions.

        Args:
            kept: ``(added,)`` which of them.
            images: The images before the boosting.
            pairs: Their pairs.
        """
        rows, predicates = self.rows[kept], self.predicates[kept]
        return Boosted(
            images=_with(images, pairs, rows, predicates),
            rows=rows,
            predicates=predicates,
            confidence=self.confidence[kept],
            coarse=self.coarse[kept],
        )


def coarse_predicates(counts: NDArray[np.integer], share: float) -> Flags:
    """Return which predicates are coarse: the fewest that hold the share of all annotations.

    Example:
        >>> coarse_predicates(np.array([10, 1, 8, 1]), 0.8).tolist()
        [True, False, True, False]
    """
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    coarse = np.zeros(len(counts), dtype=bool)
    coarse[order[before < share * counts.sum()]] = True
    return coarse


def boost(
    images: Sequence[AnnotatedImage],
    pairs: PairTable,
    measures: Floats,
    scorer: PairScorer,
    *,
    mapping: Integers | None = None,
    config: BoostingConfig | None = None,
) -> Boosted:
    """Add fine predicates where the prompted model is confident.

    Args:
        images: The training images.
        pairs: Their pairs.
        measures: ``(rows, measures)`` what is seen of them.
        scorer: The prompted model.
        mapping: ``(open,)`` target of each predicate of the scorer, −1 for none, from
            `scenes.cacao.mapping`; the scorer's predicates are the targets if not given.
        config: What is believed.
    """
    config = config or BoostingConfig()
    counts = pairs.said.sum(axis=0)
    coarse = coarse_predicates(counts, config.coarse_share)
    bears = pairs.said.any(axis=1)
    only_coarse = np.asarray(bears & ~pairs.said[:, ~coarse].any(axis=1))
    near = pairs.geometry[:, [_GAP_X, _GAP_Y]].max(axis=1) <= config.gap
    looked = only_coarse | (~bears & near & (config.bare_confidence <= 1))
    allowed = np.tile(~coarse, (len(pairs), 1))
    if config.seen_only:
        allowed &= _seen(pairs)
    rows = np.flatnonzero(looked & allowed.any(axis=1))
    open_scores = scorer.log_probabilities(pairs.labels[rows], measures[rows])
    believed = _mapped(np.exp(open_scores), mapping, len(coarse)) * ~coarse
    believed /= np.maximum(believed.sum(axis=1, keepdims=True), 1e-300)
    believed = np.where(allowed[rows], believed, 0.0)
    best = believed.argmax(axis=1)
    confidence = believed[np.arange(len(rows)), best]
    least = np.where(only_coarse[rows], config.coarse_confidence, config.bare_confidence)
    kept = np.flatnonzero(confidence >= least)
    kept = _most_confident(kept, best, confidence, np.ceil(config.most * np.maximum(counts, 1)))
    return Boosted(
        images=_with(images, pairs, rows[kept], best[kept]),
        rows=rows[kept],
        predicates=best[kept],
        confidence=confidence[kept],
        coarse=only_coarse[rows[kept]],
    )


def _seen(pairs: PairTable) -> Flags:
    """Which predicates each row's pair of classes has anywhere."""
    classes = int(pairs.labels.max(initial=0)) + 1
    key = pairs.labels[:, 0] * classes + pairs.labels[:, 1]
    _, number = np.unique(key, return_inverse=True)
    table = np.zeros((int(number.max(initial=-1)) + 1, pairs.said.shape[1]), dtype=bool)
    row, predicate = np.nonzero(pairs.said)
    table[number[row], predicate] = True
    result: Flags = table[number]
    return result


def _mapped(probabilities: Floats, mapping: Integers | None, targets: int) -> Floats:
    if mapping is None:
        return probabilities
    result = np.zeros((len(probabilities), targets))
    for number, target in enumerate(mapping.tolist()):
        if target >= 0:
            result[:, target] += probabilities[:, number]
    return result


def _most_confident(
    kept: Integers, predicate: Integers, confidence: Floats, limits: Floats
) -> Integers:
    """Of each predicate the most confident rows, as many as its limit."""
    order = kept[np.lexsort((-confidence[kept], predicate[kept]))]
    of = predicate[order]
    place = np.arange(len(of)) - np.searchsorted(of, of)
    result: Integers = np.sort(order[place < limits[of]])
    return result


def _with(
    images: Sequence[AnnotatedImage], pairs: PairTable, rows: Integers, predicates: Integers
) -> tuple[AnnotatedImage, ...]:
    triplets = np.stack([pairs.objects[rows, 0], predicates, pairs.objects[rows, 1]], axis=1)
    number = pairs.image[rows]
    return tuple(
        image.with_triplets(np.concatenate([image.triplets, triplets[number == place]]))
        if (number == place).any()
        else image
        for place, image in enumerate(images)
    )
