"""The whole of what phrase grounding needs, learnt from drawings alone and kept in one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from kg.errors import ForeignFileError, MissingPartError
from kg.files import atomic_write
from kg.progress import Progress, silent
from scenes.descriptors import DESCRIPTORS, describe_regions
from scenes.grounding.grounder import Grounding, PhraseGrounder
from scenes.grounding.phrases import read_phrase
from scenes.grounding.training import train_grounder
from scenes.label_training import train_on_drawings, with_undrawn
from scenes.lexicon import LABELS
from scenes.model import Pixels, Region
from scenes.network import Network
from scenes.regions import segment

__all__ = ["GroundingModel"]

Floats = NDArray[np.float64]

_WEIGHTS = "grounding.weights"


@dataclass(frozen=True, slots=True)
class GroundingModel:
    """Tells labels of regions, and weighs them against the other parts of a phrase.

    Attributes:
        labels: Trained on drawn flags.
        grounder: The weights, learnt on other drawn flags.
    """

    labels: Network
    grounder: PhraseGrounder

    @classmethod
    def from_drawings(
        cls, *, drawn: int = 600, scenes: int = 250, seed: int = 0, progress: Progress = silent
    ) -> Self:
        """Learn from drawn flags (some ten seconds); equal for equal numbers and seed.

        Args:
            drawn: Flags that teach labels.
            scenes: Flags that teach the weights.
            seed: Of the drawings and the network.
            progress: Told flags drawn of those that teach the weights.
        """
        labels = train_on_drawings(drawn, seed=seed)
        return cls(labels, train_grounder(labels, scenes=scenes, seed=seed, progress=progress))

    def ground(self, text: str, image: Pixels, *, most: int = 5) -> tuple[Grounding, list[Region]]:
        """Find what a phrase means in an image.

        Args:
            text: The phrase.
            image: ``(height, width, 3)`` uint8, RGB, flat-coloured.
            most: Answers to return.

        Returns:
            The answers, and all regions of the image, to which their members point.

        Raises:
            InputError: The phrase says nothing that a region could agree with.
            ImageError: The image is too large.
        """
        phrase = read_phrase(text)
        regions = segment(image)
        opinion = self.opinion(regions)
        return self.grounder.ground(phrase, regions, opinion, most=most), list(regions)

    def opinion(self, regions: Sequence[Region]) -> Floats:
        """Return ``(regions, len(LABELS))``: what each region looks like; rows sum to 1."""
        descriptors = describe_regions(regions)
        return with_undrawn(self.labels.probabilities(descriptors), descriptors)

    def save(self, path: Path) -> None:
        """Write the numbers into one file, atomically."""
        with atomic_write(path) as file:
            arrays = self.labels.arrays("labels.") | {_WEIGHTS: self.grounder.weights}
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            MissingPartError: There is no such file.
            ForeignFileError: It is something else.
        """
        if not path.is_file():
            raise MissingPartError("no grounding model", where=str(path))
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            labels = Network.from_arrays("labels.", arrays)
            model = cls(labels, PhraseGrounder(arrays[_WEIGHTS]))
        except (OSError, LookupError, ValueError, AttributeError, EOFError, BadZipFile) as error:
            raise ForeignFileError(
                "not a grounding model", where=str(path), hint="delete it; it is made anew"
            ) from error
        if (labels.mean.size, labels.weights[0][3].size) != (len(DESCRIPTORS), len(LABELS)):
            raise ForeignFileError(
                "a grounding model of other descriptors or labels",
                where=str(path),
                hint="delete it; it is made anew",
            )
        return model
