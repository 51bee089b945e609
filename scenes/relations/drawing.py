"""A picture of an annotated image whose own is not at hand: its boxes with their classes."""

from __future__ import annotations

import io
import math

from PIL import Image, ImageDraw

from kg.errors import InputError
from scenes.look import INKS
from scenes.relations.annotations import AnnotatedImage, Vocabulary

__all__ = ["MAX_SIDE", "drawn_annotation"]

MAX_SIDE = 4096
"""Largest width or height of a drawing, in pixels."""


def drawn_annotation(image: AnnotatedImage, vocabulary: Vocabulary) -> bytes:
    """Return a PNG in whose pixels the boxes of an image are given.

    Args:
        image: The image; it may have no object.
        vocabulary: Names its classes.

    Raises:
        InputError: Its boxes reach beyond `MAX_SIDE`, or begin left of or above the picture.
    """
    low = image.boxes[:, :2].min(initial=0.0)
    width, height = (max(1, math.ceil(side)) for side in image.boxes[:, 2:].max(axis=0, initial=0))
    if low < 0 or max(width, height) > MAX_SIDE:
        raise InputError(
            f"the boxes reach from {low:g} to {max(width, height)}; a drawing has 0 to {MAX_SIDE}",
            where=image.name,
            hint="name the folder of the pictures themselves",
        )
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    for number, (box, label) in enumerate(zip(image.boxes, image.labels, strict=True)):
        left, top, right, bottom = (round(side) for side in box.tolist())
        ink = INKS[number % len(INKS)]
        draw.rectangle(
            (left, top, max(right - 1, left), max(bottom - 1, top)), outline=ink, width=2
        )
        draw.text((left + 4, top + 3), vocabulary.objects[label], fill=ink)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
