"""What every model of relations offers, whatever is behind it: a protocol, and its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.counts import TripletCounts

__all__ = ["RelationLearner", "RelationModel", "Scorer"]

Floats = NDArray[np.float64]


class Scorer(Protocol):
    """Scores all predicates of all pairs: what can be judged."""

    @property
    def vocabulary(self) -> Vocabulary:
        """Of the images that it can score."""
        ...

    @property
    def counts(self) -> TripletCounts:
        """Of the training images: they tell which triplets of classes are new."""
        ...

    def score(self, images: Sequence[AnnotatedImage]) -> list[Floats]:
        """Return for each image ``(pairs, predicates)``, in the order of `ordered_pairs`.

        A score is the log-probability that the pair is annotated with the predicate, or what
        ranks like one within an image; finite. Triplets of the images are not looked at.
        """
        ...


class RelationModel(Scorer, Protocol):
    """A scorer that can be kept.

    Attributes:
        kind: Name of the sort of model, in files and tables.
    """

    kind: ClassVar[str]

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return all numbers by name, for a file."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """Return what else is needed to make the model again, as plain JSON values."""
        ...

    @classmethod
    def restored(
        cls, vocabulary: Vocabulary, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        """Make the model again from what `settings` and `arrays` gave.

        Raises:
            InputError: They do not fit together.
        """
        ...


class RelationLearner(Protocol):
    """Learns a model from annotated images."""

    def fit(
        self, images: Sequence[AnnotatedImage], vocabulary: Vocabulary, *, seed: int
    ) -> RelationModel:
        """Return a model of the images; the same seed gives the same model.

        Raises:
            InputError: The images have no triplet.
        """
        ...
