"""What networks over pairs stand on before they are trained: counts, a scale, names of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from encoders.protocols import TextEncoder
from kg.errors import InputError
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.counts import TripletCounts
from scenes.relations.inputs import PairInputs, Scale, class_vectors, pair_numbers, pair_shares
from scenes.relations.pairs import PairTable, pair_table

__all__ = ["Groundwork"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groundwork:
    """What is known of the training images without any training.

    Attributes:
        vocabulary: Of the images.
        counts: Of the training images.
        scale: Of the numbers of a pair.
        vectors: ``(classes, parts)`` of the names of classes.
    """

    vocabulary: Vocabulary
    counts: TripletCounts
    scale: Scale
    vectors: NDArray[np.float32]

    @classmethod
    def laid(
        cls, images: Sequence[AnnotatedImage], vocabulary: Vocabulary, encoder: TextEncoder
    ) -> tuple[Self, PairTable, PairInputs]:
        """Count, measure and encode training images.

        Args:
            images: Annotated.
            vocabulary: Theirs.
            encoder: Of the names of classes.

        Returns:
            The groundwork, the pairs of the images, and what a network sees of them, each image
            left out of the counts that its pairs see; no shares (`pair_shares` gives them).

        Raises:
            InputError: The images have no triplet.
        """
        counts = TripletCounts.of(images, vocabulary)
        table = pair_table(images, predicates=len(vocabulary.predicates))
        if not table.annotated.any():
            raise InputError("no training image has a triplet of two objects")
        numbers = pair_numbers(images, table, counts, leave_out=True)
        found = cls(
            vocabulary=vocabulary,
            counts=counts,
            scale=Scale.of(numbers),
            vectors=class_vectors(encoder, vocabulary.objects),
        )
        inputs = PairInputs(
            labels=table.labels,
            numbers=found.scale.scaled(numbers),
            shares=np.zeros((len(table), 0, 0), dtype=np.float32),
        )
        return found, table, inputs

    def annotated(self, table: PairTable, every: PairInputs) -> PairInputs:
        """Return what a network sees of the annotated pairs, with the shares that only they need.

        Args:
            table: Pairs of the training images.
            every: What is seen of all of them, as `laid` gave it.
        """
        named = table.annotated
        return PairInputs(
            labels=every.labels[named],
            numbers=every.numbers[named],
            shares=pair_shares(table, self.counts, rows=named, leave_out=True),
        )

    def seen(self, images: Sequence[AnnotatedImage]) -> tuple[PairTable, PairInputs]:
        """Return the pairs of images that were not trained on, and what a network sees of them."""
        table = pair_table(images, predicates=len(self.vocabulary.predicates))
        numbers = pair_numbers(images, table, self.counts, leave_out=False)
        inputs = PairInputs(
            labels=table.labels,
            numbers=self.scale.scaled(numbers),
            shares=pair_shares(table, self.counts),
        )
        return table, inputs

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all numbers by name, for a file."""
        return {**self.counts.arrays(), **self.scale.arrays(), "vectors": self.vectors}

    @classmethod
    def restored(cls, vocabulary: Vocabulary, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Read what `arrays` gave.

        Raises:
            InputError: They are missing, or of another vocabulary.
        """
        vectors = arrays.get("vectors")
        if vectors is None or vectors.ndim != 2 or len(vectors) != len(vocabulary.objects):
            raise InputError("the model has names of other classes")
        return cls(
            vocabulary=vocabulary,
            counts=TripletCounts.from_arrays(arrays, vocabulary),
            scale=Scale.from_arrays(arrays),
            vectors=vectors,
        )
