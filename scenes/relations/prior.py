"""The frequency prior: how often two classes are joined by a predicate; what all else must beat.

P(pair is annotated, predicate | classes), both factors backed off from the pair of classes to
either class alone, so that a pair of classes never seen together still has an opinion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.counts import TripletCounts, log_rates, log_shares
from scenes.relations.pairs import pair_table

__all__ = ["PriorLearner", "PriorModel"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PriorModel:
    """A frequency prior.

    Attributes:
        vocabulary: Of the images.
        counts: Of the training images.
    """

    kind: ClassVar[str] = "prior"
    vocabulary: Vocabulary
    counts: TripletCounts

    def score(self, images: Sequence[AnnotatedImage]) -> list[Floats]:
        """Return log-probabilities; see `RelationModel`."""
        table = pair_table(images, predicates=len(self.vocabulary.predicates))
        rates, _ = log_rates(self.counts, table)
        return table.by_image(log_shares(self.counts, table)[:, 0] + rates[:, :1])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the counts by name."""
        return self.counts.arrays()

    def settings(self) -> dict[str, Any]:
        """Return nothing: the counts say all."""
        return {}

    @classmethod
    def restored(
        cls, vocabulary: Vocabulary, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        """Make the model again; see `RelationModel`."""
        del settings  # it has none
        return cls(vocabulary, TripletCounts.from_arrays(arrays, vocabulary))


@dataclass(frozen=True, slots=True)
class PriorLearner:
    """Counts."""

    def fit(
        self, images: Sequence[AnnotatedImage], vocabulary: Vocabulary, *, seed: int
    ) -> PriorModel:
        """Count the images; nothing is random.

        Raises:
            InputError: They have no triplet.
        """
        del seed
        counts = TripletCounts.of(images, vocabulary)
        if not counts.said.any():
            raise InputError("no training image has a triplet")
        return PriorModel(vocabulary, counts)
