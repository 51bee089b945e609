"""What a model of relations finds likely in annotated images, with calibrated probabilities.

A model's scores rank; here they become probabilities that an annotator says so, fitted on images
that the model has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation import Isotonic, fit_isotonic
from kg.errors import InputError
from kg.model import BoxXyxy
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.model import RelationModel
from scenes.relations.pairs import longer_side, ordered_pairs, pair_table
from scenes.rulings import ruled_out

__all__ = ["Guess", "LikelyRelations"]

_MOST_PER_OBJECT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A triplet that nobody annotated.

    Attributes:
        subject: Position among the image's objects.
        predicate: Number in the vocabulary.
        object: Position among the image's objects.
        probability: Calibrated, that an annotator says so.
    """

    subject: int
    predicate: int
    object: int
    probability: float

    def ruled_out(self, image: AnnotatedImage, vocabulary: Vocabulary) -> str | None:
        """Say why the boxes rule it out, as ``umbra scenes check`` would; None if they do not.

        Args:
            image: That it is of.
            vocabulary: Names its predicate.
        """
        first, second = (_box(image, number) for number in (self.subject, self.object))
        name = vocabulary.predicates[self.predicate]
        return ruled_out(name, first, second, side=longer_side(image))


def _box(image: AnnotatedImage, number: int) -> BoxXyxy:
    left, top, right, bottom = image.boxes[number].tolist()
    return (left, top, right, bottom)


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelyRelations:
    """A model and the map from its scores to probabilities.

    Attributes:
        model: The model.
        calibration: Fitted by `fit`.
    """

    model: RelationModel
    calibration: Isotonic

    @classmethod
    def fit(cls, model: RelationModel, images: Sequence[AnnotatedImage]) -> LikelyRelations:
        """Fit the map on annotated images that the model was not trained on.

        Raises:
            InputError: No pair of them is annotated.
        """
        said = pair_table(images, predicates=len(model.vocabulary.predicates)).said
        if not said.any():
            raise InputError("no pair of objects of these images is annotated")
        scores = np.concatenate(model.score(images))
        return cls(model=model, calibration=fit_isotonic(scores.ravel(), said.ravel()))

    def guesses(
        self, images: Sequence[AnnotatedImage], *, least: float = 0.1
    ) -> list[tuple[Guess, ...]]:
        """Return the likely triplets of each image that it lacks, likeliest first.

        Args:
            images: Of the model's vocabulary.
            least: Smallest probability; of an image not more than three for each object.
        """
        found = []
        for image, scores in zip(images, self.model.score(images), strict=True):
            pairs = ordered_pairs(len(image))
            chances = self.calibration.apply(scores.ravel()).reshape(scores.shape)
            known = {(int(s), int(p), int(o)) for s, p, o in image.triplets}
            order = np.argsort(-chances, axis=None, kind="stable")
            likely: list[Guess] = []
            for row, predicate in np.column_stack(np.unravel_index(order, chances.shape)).tolist():
                chance = float(chances[row, predicate])
                if chance < least or len(likely) == _MOST_PER_OBJECT * len(image):
                    break
                subject, other = pairs[row].tolist()
                if (subject, predicate, other) not in known:
                    likely.append(
                        Guess(
                            subject=subject, predicate=predicate, object=other, probability=chance
                        )
                    )
            found.append(tuple(likely))
        return found
