"""Colours as eyes see them: sRGB to CIE Lab, and the plain English name of a colour."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLOUR_NAMES", "colour_name", "lab_of"]

COLOUR_NAMES = (
    "black",
    "blue",
    "brown",
    "green",
    "grey",
    "light blue",
    "orange",
    "pink",
    "purple",
    "red",
    "white",
    "yellow",
)
"""Every name that `colour_name` gives, in alphabetical order."""

_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])  # D65, 2 degrees
_LINEAR = np.where(
    np.arange(256) / 255 <= 0.04045,
    np.arange(256) / 255 / 12.92,
    ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4,
)


def lab_of(rgb: NDArray[Any]) -> NDArray[np.float64]:
    """Return CIE Lab (D65) of sRGB values.

    Args:
        rgb: ``(…, 3)`` uint8.

    Returns:
        ``(…, 3)``: lightness 0–100, a (green to red), b (blue to yellow).

    Example:
        >>> lab_of(np.array([255, 255, 255], dtype=np.uint8)).round(1).tolist()
        [100.0, 0.0, 0.0]
    """
    xyz = _LINEAR[rgb.astype(np.intp)] @ _TO_XYZ.T / _WHITE
    curved = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = curved[..., 0], curved[..., 1], curved[..., 2]
    lab: NDArray[np.float64] = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
    return np.where(np.abs(lab) < 1e-3, 0.0, lab)


# Upper end of a hue (degrees in Lab) and the name from there down; fitted by eye to flags, where
# painters' words (gold, saffron, navy) fall on the plain names that the word lists map them to.
_HUES = ((51.0, "red"), (73.0, "orange"), (112.0, "yellow"), (195.0, "green"), (312.0, "blue"))


@lru_cache(maxsize=4096)  # a drawing has few colours, and so have many drawings
def colour_name(rgb: tuple[int, int, int]) -> str:
    """Return the plain English name of a colour.

    Example:
        >>> [colour_name(rgb) for rgb in ((206, 17, 38), (252, 209, 22), (0, 0, 0))]
        ['red', 'yellow', 'black']
    """
    lightness, a, b = (float(value) for value in lab_of(np.array(rgb, dtype=np.uint8)))
    chroma = math.hypot(a, b)
    if lightness < 22 and chroma < 22:
        return "black"
    if chroma < 14:
        return "white" if lightness > 85 else "grey" if lightness > 25 else "black"
    return _chromatic(lightness, chroma, math.degrees(math.atan2(b, a)) % 360)


def _chromatic(lightness: float, chroma: float, hue: float) -> str:
    if 312 <= hue < 345:
        return "pink" if lightness > 65 else "purple"
    if hue >= 345:
        return "pink" if lightness > 65 else "red"
    name = next(name for end, name in _HUES if hue < end)
    if name == "red" and lightness > 72:
        return "pink"
    if name in ("red", "orange") and lightness < 48 and chroma < 48 and hue > 40:
        return "brown"
    if name == "blue" and lightness > 52:
        return "light blue"
    return name
