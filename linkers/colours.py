"""The basic colours of a picture and how much of it each takes: words that are true of it.

Pixels are grouped by k-means (k = 4) in the CIE Lab space, where distances are as eyes see them; a
group's colour is the nearest of the eleven basic colour words of English (Berlin and Kay).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["BASIC_COLOURS", "colour_shares"]

_GROUPS = 4
_ROUNDS = 10
_SIDE = 32  # pixels that are looked at; colours need no more
_SHADES: Mapping[str, tuple[tuple[int, int, int], ...]] = {
    "black": ((0, 0, 0), (30, 30, 30)),
    "white": ((255, 255, 255), (240, 240, 240)),
    "grey": ((128, 128, 128), (80, 80, 80), (190, 190, 190)),
    "red": ((220, 30, 40), (255, 0, 0), (150, 0, 20)),
    "orange": ((245, 130, 30), (255, 165, 0)),
    "yellow": ((250, 220, 40), (255, 255, 0), (240, 230, 140)),
    "green": ((0, 140, 60), (0, 255, 0), (0, 90, 30), (130, 200, 80)),
    "blue": ((20, 70, 180), (0, 0, 255), (0, 0, 110), (90, 170, 235)),
    "purple": ((120, 40, 140), (160, 80, 200)),
    "pink": ((245, 150, 190), (255, 192, 203)),
    "brown": ((120, 70, 30), (90, 50, 20), (165, 110, 60)),
}
BASIC_COLOURS: tuple[str, ...] = tuple(_SHADES)
"""The eleven words."""

Floats = NDArray[np.float64]


def colour_shares(image: NDArray[np.uint8]) -> dict[str, float]:
    """Return the share of the picture that each basic colour takes, the largest first.

    Args:
        image: ``(height, width, 3)`` uint8, RGB.

    Example:
        >>> colour_shares(np.full((4, 4, 3), (255, 0, 0), dtype=np.uint8))
        {'red': 1.0}
    """
    small = Image.fromarray(image).resize((_SIDE, _SIDE), Image.Resampling.NEAREST)
    pixels = _lab(np.asarray(small, dtype=np.float64).reshape(-1, 3))
    centres, owners = _grouped(pixels)
    nearest = _distances(centres, _PROTOTYPES).argmin(axis=1)
    shares: dict[str, float] = {}
    for group, count in enumerate(np.bincount(owners, minlength=len(centres)).tolist()):
        word = _WORDS[int(nearest[group])]
        shares[word] = shares.get(word, 0.0) + count / len(pixels)
    found = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return {word: round(share, 6) for word, share in found if share > 0}


def _grouped(pixels: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return centres and the group of each pixel; the farthest points start, so no chance is in."""
    centres = pixels.mean(axis=0, keepdims=True)
    for _ in range(_GROUPS):
        away = _distances(pixels, centres).min(axis=1)
        centres = np.concatenate([centres, pixels[away.argmax()][None]])
    centres = centres[1:]
    owners = np.zeros(len(pixels), dtype=np.int64)
    for _ in range(_ROUNDS):
        owners = _distances(pixels, centres).argmin(axis=1)
        for group in range(len(centres)):
            own = pixels[owners == group]
            if len(own):
                centres[group] = own.mean(axis=0)
    return centres, owners


def _distances(one: Floats, other: Floats) -> Floats:
    """Return ``(n, m)`` squared distances."""
    result: Floats = ((one[:, None] - other[None]) ** 2).sum(axis=2)
    return result


def _lab(rgb: Floats) -> Floats:
    """Return CIE Lab (D65) of sRGB values in 0-255."""
    part = rgb / 255.0
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array(
        [[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]]
    )
    scaled = xyz / np.array([0.9505, 1.0, 1.089])
    f = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116)
    return np.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
    )


_WORDS = tuple(word for word, shades in _SHADES.items() for _ in shades)
_PROTOTYPES = _lab(np.array([s for shades in _SHADES.values() for s in shades], np.float64))
