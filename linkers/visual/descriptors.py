"""What a picture looks like without any network: directions of its outlines, and its colours.

They need no weights and tell apart what an encoder of photographs holds for one drawing: which way
strokes run, and which colours are used. Every picture is brought to 64 x 64 pixels first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["DESCRIPTORS", "describe"]

DESCRIPTORS = ("outlines", "coarse outlines", "colours")
"""Names of the descriptors, in the order of `describe`."""

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

_SIDE = 64
_DIRECTIONS = 9
_CLIP = 0.2  # of a normalised block, as in Dalal and Triggs
_CHUNK = 128  # pictures at once: 19 MB of gradients
_PAPER = 0.06  # distance from white, in Lab / 100, below which a pixel is background
_LIGHTNESS = np.array([0.15, 0.40, 0.65, 0.90], dtype=np.float32)
_TINTS = np.array([-0.6, -0.3, 0.0, 0.3, 0.6], dtype=np.float32)
_SOFTNESS = (0.15, 0.18)
_WHITE = np.array([0.9505, 1.0, 1.089], dtype=np.float32)
_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]],
    dtype=np.float32,
)


def describe(images: Sequence[Pixels]) -> dict[str, Floats]:
    """Return each descriptor's vectors, ``(n, size)``, by its name.

    Args:
        images: ``(height, width, 3)`` uint8 each, of any size.

    Example:
        >>> found = describe([np.zeros((20, 30, 3), dtype=np.uint8)])
        >>> {name: vectors.shape for name, vectors in found.items()}
        {'outlines': (1, 1764), 'coarse outlines': (1, 324), 'colours': (1, 100)}
    """
    parts: list[tuple[Floats, Floats, Floats]] = []
    for start in range(0, len(images), _CHUNK):
        small = np.stack([_small(image) for image in images[start : start + _CHUNK]])
        parts.append((_outlines(small, 8), _outlines(small, 16), _colours(small)))
    if not parts:
        sizes = (_outline_size(8), _outline_size(16), _colour_size())
        return {
            n: np.zeros((0, s), dtype=np.float32) for n, s in zip(DESCRIPTORS, sizes, strict=True)
        }
    joined = (np.concatenate(column) for column in zip(*parts, strict=True))
    return dict(zip(DESCRIPTORS, joined, strict=True))


def _small(image: Pixels) -> Floats:
    if image.shape[:2] != (_SIDE, _SIDE):
        size = (_SIDE, _SIDE)
        image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))
    return image.astype(np.float32) / 255.0


def _outline_size(cell: int) -> int:
    return (_SIDE // cell - 1) ** 2 * 4 * _DIRECTIONS


def _outlines(images: Floats, cell: int) -> Floats:
    """Histograms of oriented gradients, blocks of 2 x 2 cells (Dalal and Triggs, 2005)."""
    edged = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    down = edged[:, 2:, 1:-1] - edged[:, :-2, 1:-1]
    across = edged[:, 1:-1, 2:] - edged[:, 1:-1, :-2]
    strength = np.sqrt(across**2 + down**2)
    strongest = strength.argmax(axis=-1)[..., None]  # the channel that changes most
    size, dx, dy = (
        np.take_along_axis(values, strongest, -1)[..., 0] for values in (strength, across, down)
    )
    place = (np.arctan2(dy, dx) % np.pi) / np.pi * _DIRECTIONS
    low = np.floor(place).astype(np.int64)
    share = place - low
    votes = np.zeros((*size.shape, _DIRECTIONS), dtype=np.float32)
    for direction, weight in ((low, 1 - share), (low + 1, share)):
        index = (direction % _DIRECTIONS)[..., None]
        held = np.take_along_axis(votes, index, -1)
        np.put_along_axis(votes, index, held + (size * weight)[..., None], -1)
    side = _SIDE // cell
    cells = votes.reshape(-1, side, cell, side, cell, _DIRECTIONS).sum(axis=(2, 4))
    blocks = np.concatenate(
        [cells[:, :-1, :-1], cells[:, 1:, :-1], cells[:, :-1, 1:], cells[:, 1:, 1:]], axis=-1
    )
    blocks = np.minimum(_levelled(blocks), _CLIP)
    return _levelled(blocks).reshape(len(images), -1).astype(np.float32)


def _levelled(blocks: Floats) -> Floats:
    levelled: Floats = blocks / np.sqrt((blocks**2).sum(axis=-1, keepdims=True) + 1e-2)
    return levelled


def _colour_size() -> int:
    return len(_LIGHTNESS) * len(_TINTS) ** 2


def _colours(images: Floats) -> Floats:
    """Square roots of soft histograms of Lab colours, background left out."""
    found = np.zeros((len(images), _colour_size()), dtype=np.float32)
    for row, lab in enumerate(_lab(images).reshape(len(images), -1, 3)):
        inked = (np.abs(lab - np.array([1.0, 0.0, 0.0])).max(axis=-1) > _PAPER).astype(np.float32)
        light = _soft(lab[:, 0], _LIGHTNESS, _SOFTNESS[0]) * inked[:, None]
        tints = _soft(lab[:, 1], _TINTS, _SOFTNESS[1])[:, :, None]
        tints = (tints * _soft(lab[:, 2], _TINTS, _SOFTNESS[1])[:, None]).reshape(len(lab), -1)
        found[row] = np.sqrt((light.T @ tints).ravel() / max(float(inked.sum()), 1.0))
    return found


def _soft(values: Floats, centres: Floats, width: float) -> Floats:
    weights = np.exp(-(((values[:, None] - centres) / width) ** 2)) + np.float32(1e-12)
    shares: Floats = weights / weights.sum(axis=-1, keepdims=True)
    return shares


def _lab(images: Floats) -> Floats:
    """CIE Lab of sRGB in [0, 1], divided by 100."""
    linear = np.where(images > 0.04045, ((images + 0.055) / 1.055) ** 2.4, images / 12.92)
    xyz = linear @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    lab = (116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2]))
    return np.stack(lab, axis=-1).astype(np.float32) / np.float32(100)
