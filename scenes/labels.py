"""What tells the label of a region: a network over its shape, place and colour, with patch vectors.

`scenes.label_training` makes it from drawn examples and descriptions of whole flags.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError, MissingPartError
from scenes.calibration import apply_platt
from scenes.descriptors import DESCRIPTORS
from scenes.lexicon import LABELS
from scenes.network import Network
from scenes.patches import PatchExpert

__all__ = ["LabelModel", "on_image"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelModel:
    """What tells the label of a region.

    Attributes:
        network: Over `DESCRIPTORS`, one class a label of `LABELS`.
        patches: Over patch vectors, if the model was trained with an encoder.
        patch_weight: Share of the patch expert.
        slope: ``(len(LABELS),)`` calibration of each label.
        shift: ``(len(LABELS),)``.
    """

    network: Network
    patches: PatchExpert | None
    patch_weight: float
    slope: Floats
    shift: Floats

    def opinion(self, descriptors: Floats, patches: Floats | None = None) -> Floats:
        """Return ``(regions, len(LABELS))``, rows summing to 1, not calibrated.

        Args:
            descriptors: ``(regions, len(DESCRIPTORS))``.
            patches: ``(regions, dimension)``; needed by a model with a patch expert.

        Raises:
            MissingPartError: The model was trained with an encoder and gets no patch vectors.
        """
        shape = self.network.probabilities(descriptors)
        if self.patches is None:
            return shape
        if patches is None:
            raise MissingPartError(
                "this scene model was trained with an image encoder and needs it again",
                hint="pass the encoder of the same fingerprint",
            )
        return _mixed(shape, self.patches.probabilities(patches), self.patch_weight)

    def calibrated(self, opinion: Floats) -> Floats:
        """Return the probability of each label by itself; rows need not sum to 1.

        Args:
            opinion: ``(…, len(LABELS))``.
        """
        return apply_platt(opinion, self.slope, self.shift)

    def arrays(self) -> dict[str, Floats]:
        """Return all numbers by name, for a file."""
        found = self.network.arrays("labels.")
        if self.patches is not None:
            found |= self.patches.arrays()
        return found | {
            "labels.slope": self.slope,
            "labels.shift": self.shift,
            "labels.patch_weight": np.array([self.patch_weight]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats]) -> LabelModel:
        """Read what `arrays` gave.

        Raises:
            InputError: Arrays are missing, or the model knows other labels or descriptors.
        """
        network = Network.from_arrays("labels.", arrays)
        if network.mean.size != len(DESCRIPTORS) or network.weights[0][3].size != len(LABELS):
            raise InputError("the model reads other descriptors or knows other labels")
        try:
            weight = float(arrays["labels.patch_weight"][0])
            slope, shift = arrays["labels.slope"], arrays["labels.shift"]
        except KeyError as error:
            raise InputError(f"the model lacks the array {error.args[0]!r}") from error
        return cls(network, PatchExpert.from_arrays(arrays), weight, slope, shift)


def _mixed(shape: Floats, patch: Floats, weight: float) -> Floats:
    product = np.clip(shape, 1e-9, 1) ** (1 - weight) * np.clip(patch, 1e-4, 1) ** weight
    result: Floats = product / product.sum(axis=1, keepdims=True)
    return result


def on_image(probabilities: Floats) -> Floats:
    """Return ``(len(LABELS),)``: that a label is on the image at all, its likeliest region's.

    The greatest, not one minus the product of the rest: doubts about the pieces of one image are
    doubts of one kind, and fifty pieces at 2 % do not make a crescent.
    """
    if len(probabilities) == 0:
        return np.zeros(len(LABELS))
    result: Floats = probabilities.max(axis=0)
    return result
