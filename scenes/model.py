"""What scenes pass around: regions of an image and predicates between them; frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from kg.model import BoxXyxy

__all__ = ["Detector", "Pixels", "Region", "RegionKind", "Relation", "Scene", "SceneParser"]

Pixels = NDArray[np.uint8]
"""One picture: ``(height, width, 3)`` uint8, RGB."""

RegionKind = Literal["figure", "emblem", "other"]
"""One connected figure, many small touching pieces in one box, or what is left over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A part of an image.

    Attributes:
        box_xyxy: In pixels; right and bottom outside.
        mask: ``(height, width)`` bool over the whole image.
        colour: Name of its main colour.
        rgb: Its main colour.
        label: What it shows (star, crescent, stripe …), once classified.
        label_probability: Calibrated probability of the label.
        kind: How it was put together.
        pieces: Number of connected pieces of one colour in it; 1 for a figure.
    """

    box_xyxy: BoxXyxy
    mask: NDArray[np.bool_] = field(repr=False)
    colour: str
    rgb: tuple[int, int, int]
    label: str | None = None
    label_probability: float = 0.0
    kind: RegionKind = "figure"
    pieces: int = 1

    @property
    def area(self) -> int:
        """Pixels of the mask."""
        return int(np.count_nonzero(self.mask))


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A predicate between two regions of one image.

    Attributes:
        subject: Position of the subject among the scene's regions.
        predicate: Its name (left_of, above, centred_on …).
        object: Position of the object.
        probability: Calibrated; 1 for what exact geometry says.
        exact: True if geometry computed it, false if a model predicted it.
    """

    subject: int
    predicate: str
    object: int
    probability: float
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One image taken apart.

    Attributes:
        width: In pixels.
        height: In pixels.
        regions: Largest first, ties by position.
        relations: Between them.
    """

    width: int
    height: int
    regions: tuple[Region, ...]
    relations: tuple[Relation, ...] = ()


class Detector(Protocol):
    """Finds the regions of an image."""

    @property
    def fingerprint(self) -> str:
        """Name and version, as it stands in provenance."""
        ...

    def detect(self, image: Pixels) -> tuple[Region, ...]:
        """Return regions without labels or with them, largest first."""
        ...


class SceneParser(Protocol):
    """Takes images apart: a scene model, or a detector."""

    @property
    def version(self) -> str:
        """Name and version, as it stands in provenance."""
        ...

    def parse_all(self, images: Iterable[Pixels]) -> Iterator[Scene]:
        """Take images apart, one after the other."""
        ...
