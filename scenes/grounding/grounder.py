"""From a phrase and the regions of an image to the region that is meant, with reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from kg.errors import InputError
from kg.model import BoxXyxy
from scenes.grounding.candidates import Candidate, candidates_of, mean_opinion
from scenes.grounding.phrases import Phrase
from scenes.grounding.terms import TERMS, terms_of
from scenes.lexicon import LABELS
from scenes.model import Region

__all__ = ["Grounded", "Grounding", "PhraseGrounder"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounded:
    """One answer.

    Attributes:
        members: Positions of the regions that are meant.
        box_xyxy: Around them.
        probability: That it is meant, given that something in the image is.
        reasons: What each part of the phrase added to its score against the mean of all
            candidates; parts that say nothing are left out.
    """

    members: tuple[int, ...]
    box_xyxy: BoxXyxy
    probability: float
    reasons: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounding:
    """Answers, likeliest first; ties by position.

    Attributes:
        phrase: As it was read.
        answers: At least one.
    """

    phrase: Phrase
    answers: tuple[Grounded, ...]


@dataclass(frozen=True, slots=True)
class PhraseGrounder:
    """Weighs the terms of `TERMS` into a probability over the candidates.

    Attributes:
        weights: ``(len(TERMS),)``, none below 0 but the prior's.
    """

    weights: Floats

    def __post_init__(self) -> None:
        """Check the number of weights."""
        if self.weights.shape != (len(TERMS),):
            raise InputError(f"{len(TERMS)} weights expected, got {self.weights.shape}")

    def ground(
        self,
        phrase: Phrase,
        regions: Sequence[Region],
        opinion: Floats,
        *,
        most: int = 5,
    ) -> Grounding:
        """Find what a phrase means.

        Args:
            phrase: From `read_phrase`.
            regions: Of the image.
            opinion: ``(regions, len(LABELS))``, what each could be; rows sum to 1.
            most: Answers to return.

        Raises:
            InputError: There are no regions, or the opinion is not theirs.
        """
        if not regions:
            raise InputError("an image without regions has nothing to point at")
        if opinion.shape != (len(regions), len(LABELS)):
            raise InputError(
                f"{len(regions)} regions with labels of shape {opinion.shape}, expected "
                f"({len(regions)}, {len(LABELS)})"
            )
        candidates = candidates_of(regions, opinion)
        height, width = regions[0].mask.shape
        terms = self.terms(phrase, candidates, mean_opinion(candidates, opinion), (width, height))
        probability = self.probability(terms)
        reasons = (terms - terms.mean(axis=0)) * self.weights
        order = sorted(range(len(candidates)), key=lambda n: (-float(probability[n]), n))
        return Grounding(
            phrase=phrase,
            answers=tuple(
                Grounded(
                    members=candidates[n].members,
                    box_xyxy=candidates[n].box_xyxy,
                    probability=float(probability[n]),
                    reasons={
                        name: float(value)
                        for name, value in zip(TERMS, reasons[n], strict=True)
                        if value
                    },
                )
                for n in order[:most]
            ),
        )

    def terms(
        self,
        phrase: Phrase,
        candidates: Sequence[Candidate],
        opinion: Floats,
        size: tuple[int, int],
    ) -> Floats:
        """Return ``(candidates, len(TERMS))``; what the phrase lies on is grounded first."""
        anchors = None
        if phrase.on is not None:
            anchors = self.probability(self.terms(phrase.on, candidates, opinion, size))
        return terms_of(phrase, candidates, opinion, size=size, anchors=anchors)

    def probability(self, terms: Floats) -> Floats:
        """Return ``(candidates,)``, summing to 1."""
        result: Floats = softmax(terms @ self.weights)
        return result
