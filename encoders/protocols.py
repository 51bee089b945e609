"""What an encoder is: text or pictures in, one global vector and token vectors an item out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["ImageEncoder", "Pixels", "TextEncoder", "Vectors"]

Pixels = NDArray[np.uint8]
"""One picture: ``(height, width, 3)`` uint8, RGB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """Encoded items.

    Attributes:
        pooled: ``(n, dim)`` float32, one global vector an item, unit length.
        tokens: ``(n, length, dim)`` float16, token or patch vectors (row-major grid for patches),
            not normalised.
        mask: ``(n, length)`` bool, true where a token is real.
    """

    pooled: NDArray[np.float32]
    tokens: NDArray[np.float16]
    mask: NDArray[np.bool_]


class TextEncoder(Protocol):
    """Encodes texts."""

    @property
    def dimension(self) -> int:
        """Size of a vector."""
        ...

    @property
    def fingerprint(self) -> str:
        """Names weights and settings; two encoders of one fingerprint give equal vectors."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts; an empty text gives a zero vector and an all-false mask."""
        ...


class ImageEncoder(Protocol):
    """Encodes pictures."""

    @property
    def dimension(self) -> int:
        """Size of a vector."""
        ...

    @property
    def fingerprint(self) -> str:
        """Names weights and settings; two encoders of one fingerprint give equal vectors."""
        ...

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the patch grid; ``length`` of the tokens is their product."""
        ...

    def encode(self, images: Sequence[Pixels]) -> Vectors:
        """Encode pictures of any size."""
        ...
