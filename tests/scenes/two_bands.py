"""Pictures of two bands with their parts and texts, for tests of what texts claim."""

from __future__ import annotations

import numpy as np

from scenes.model import Pixels, Region
from scenes.witnesses import TextClaims

__all__ = ["two_bands"]


def two_bands(number: int, *, red: bool, text: str | None = None) -> TextClaims:
    """A picture of red or blue and white, with the parts and the text that fit unless given."""
    paint = (220, 20, 30) if red else (20, 60, 200)
    image: Pixels = np.full((24, 36, 3), 255, dtype=np.uint8)
    mask = np.zeros((24, 36), dtype=bool)
    mask[:, : 12 + number % 5] = True
    image[mask] = paint
    regions = tuple(
        Region(box_xyxy=box, mask=part, colour=name, rgb=rgb, label="band", label_probability=0.9)
        for box, part, name, rgb in (
            ((12.0 + number % 5, 0.0, 36.0, 24.0), ~mask, "white", (255, 255, 255)),
            ((0.0, 0.0, 12.0 + number % 5, 24.0), mask, "red" if red else "blue", paint),
        )
    )
    colour = "red" if red else "blue"
    return TextClaims(
        key=f"p{number}",
        text=text or f"two vertical bands of {colour} and white",
        image=image,
        regions=regions,
        vector=np.array([float(number % 7), float(number % 3)]),
    )
