"""A small copy of a picture, for lists that show many."""

from __future__ import annotations

import io
import threading

from PIL import Image

from kg.images import decoded

__all__ = ["LARGEST", "SMALLEST", "smaller", "thumbnail"]

SMALLEST, LARGEST = 16, 1024
"""Pixels of the longer side that may be asked for."""
_DECODING = threading.Lock()
"""One picture at a time: the largest that is kept takes some 400 MB while it is decoded."""


def smaller(picture: bytes, side: int) -> tuple[Image.Image, tuple[float, float]]:
    """Return a picture, its longer side at most so many pixels; it is never enlarged.

    What is transparent becomes white. Pixels are averaged (Lanczos), so that thin lines stay.

    Returns:
        The picture, and how much smaller it is across and down.

    Args:
        picture: Bytes of a picture that the image folder took in.
        side: Pixels.

    Raises:
        ImageError: The picture cannot be decoded.
    """
    with _DECODING:
        small = decoded(picture, "the picture")
        width, height = small.size
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return small, (small.width / width, small.height / height)


def thumbnail(picture: bytes, side: int) -> bytes:
    """Return what `smaller` does as PNG; arguments and errors as there."""
    small, _ = smaller(picture, side)
    file = io.BytesIO()
    small.save(file, "PNG", optimize=True)
    return file.getvalue()
