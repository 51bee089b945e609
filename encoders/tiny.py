"""Deterministic encoders that need no weights and no time: for tests, and as a last resort.

Texts by hashed character trigrams of each word, pictures by the mean colours of a grid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from encoders.image import check_pixels
from encoders.padding import padded
from encoders.protocols import Pixels, Vectors

__all__ = ["TinyImageEncoder", "TinyTextEncoder"]

_MAX_WORDS = 64


class TinyTextEncoder:
    """Hashed character trigrams; words that share letters lie close.

    Args:
        dimension: Size of a vector.

    Example:
        >>> vectors = TinyTextEncoder().encode(["Turkey", "Turkish", "Peru"]).pooled
        >>> bool(vectors[0] @ vectors[1] > vectors[0] @ vectors[2])
        True
    """

    def __init__(self, *, dimension: int = 64) -> None:
        self._dimension = dimension

    @property
    def dimension(self) -> int:
        """Size of a vector."""
        return self._dimension

    @property
    def fingerprint(self) -> str:
        """Names the settings."""
        return f"tiny-text-{self._dimension}-v1"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts; an empty text gives a zero vector and an all-false mask."""
        tokens = [
            np.stack([self._word(word) for word in text.casefold().split()[:_MAX_WORDS]])
            if text.split()
            else np.zeros((0, self._dimension), np.float32)
            for text in texts
        ]
        pooled = [value.sum(axis=0) for value in tokens]
        return padded(pooled, tokens, self._dimension)

    def _word(self, word: str) -> NDArray[np.float32]:
        vector = np.zeros(self._dimension, dtype=np.float32)
        marked = f"^{word}$"
        for start in range(max(1, len(marked) - 2)):
            digest = hashlib.sha256(marked[start : start + 3].encode()).digest()
            sign = 1.0 if digest[4] % 2 else -1.0
            vector[int.from_bytes(digest[:4], "little") % self._dimension] += sign
        return vector


class TinyImageEncoder:
    """Mean colours of a coarse grid, centred at grey.

    Args:
        side: Rows and columns of the grid.
    """

    def __init__(self, *, side: int = 4) -> None:
        self._side = side

    @property
    def dimension(self) -> int:
        """Size of a vector."""
        return 3 * self._side * self._side

    @property
    def fingerprint(self) -> str:
        """Names the settings."""
        return f"tiny-image-{self._side}-v1"

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the patch grid."""
        return (self._side, self._side)

    def encode(self, images: Sequence[Pixels]) -> Vectors:
        """Encode pictures of any size.

        Raises:
            ImageError: An array is not ``(height, width, 3)`` uint8.
        """
        pooled: list[NDArray[np.float32]] = []
        tokens: list[NDArray[np.float32]] = []
        for image in images:
            check_pixels(image)
            small = Image.fromarray(image).resize((self._side, self._side), Image.Resampling.BOX)
            colours = np.asarray(small, dtype=np.float32).reshape(-1, 3) / 127.5 - 1.0
            cells = np.zeros((len(colours), self.dimension), dtype=np.float32)
            for cell, colour in enumerate(colours):
                cells[cell, 3 * cell : 3 * cell + 3] = colour
            pooled.append(cells.sum(axis=0) + 1e-3)  # a grey picture is not a missing one
            tokens.append(cells)
        return padded(pooled, tokens, self.dimension)
