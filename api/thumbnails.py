"""A small copy of a picture, for lists that show many."""

from __future__ import annotations

import io
import threading

from PIL import Image

from kg.images import decoded

__all__ = ["LARGEST", "SMALLEST", "thumbnail"]

SMALLEST, LARGEST = 16, 1024
"""Pixels of the longer side that may be asked for."""
_DECODING = threading.Lock()
"""One picture at a time: the largest that is kept takes some 400 MB while it is decoded."""


def thumbnail(picture: bytes, side: int) -> bytes:
    """Return a PNG of a picture, its longer side at most so many pixels; it is never enlarged.

    What is transparent becomes white. Pixels are averaged (Lanczos), so that thin lines stay.

    Args:
        picture: Bytes of a picture that the image folder took in.
        side: Pixels.

    Raises:
        ImageError: The picture cannot be decoded.
    """
    with _DECODING:
        small = decoded(picture, "the picture")
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "PNG", optimize=True)
    return file.getvalue()
