"""Pictures compared as small thumbnails under crops and turns: cheap, and no weights needed.

A deep encoder sees what a picture shows; flat colours at their places are told better by pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["THUMBNAIL_SIGNALS", "ThumbnailIndex", "thumbnail"]

THUMBNAIL_SIGNALS = ("colours in place", "shades in place", "share of colours")
"""Rows of `ThumbnailIndex.rows`, each at most 1."""

Pixels = NDArray[np.uint8]
_SIZE = (24, 18)
_WORK = (96, 72)
_CROPS = (1.0, 0.85, 0.7)
_TURNS = (-15, -8, 8, 15)
_BINS = 4


def thumbnail(image: Pixels) -> NDArray[np.float32]:
    """Return ``(18, 24, 3)`` float32 in [0, 1]."""
    small = Image.fromarray(image).resize(_SIZE, Image.Resampling.BOX)
    values: NDArray[np.float32] = np.asarray(small, dtype=np.float32) / 255.0
    return values


class ThumbnailIndex:
    """Thumbnails of the pictures of a base, each in several views.

    Args:
        images: Picture of each entity, None where there is none.
    """

    def __init__(self, images: list[Pixels | None]) -> None:
        self._present = np.array([image is not None for image in images], dtype=np.bool_)
        views = [_views(image) for image in images if image is not None]
        self._views = np.stack(views) if views else np.zeros((0, 1, 18, 24, 3), np.float32)
        self._shades = _centred(_shade(self._views))
        self._colours = np.stack([_histogram(v[0]) for v in views]) if views else np.zeros((0, 64))

    def rows(self, image: Pixels | None) -> NDArray[np.float32]:
        """Return ``(3, N)`` similarities; 0 where either side has no picture."""
        rows = np.zeros((len(THUMBNAIL_SIGNALS), len(self._present)), dtype=np.float32)
        if image is None or not len(self._views):
            return rows
        small = thumbnail(image)
        distance = np.abs(self._views - small).mean(axis=(2, 3, 4))
        shades = self._shades @ _centred(_shade(small))
        rows[0, self._present] = 1.0 - distance.min(axis=1)
        rows[1, self._present] = shades.max(axis=1)
        rows[2, self._present] = np.minimum(self._colours, _histogram(small)).sum(axis=1)
        return rows


def _views(image: Pixels) -> NDArray[np.float32]:
    """Return ``(views, 18, 24, 3)``: the whole, crops at several places, turns."""
    whole = Image.fromarray(image).resize(_WORK, Image.Resampling.BOX)
    width, height = _WORK
    views = []
    for share in _CROPS:
        w, h = round(width * share), round(height * share)
        for across, down in (
            [(0.5, 0.5)]
            if share == 1.0
            else [(x, y) for x in (0.0, 0.5, 1.0) for y in (0.0, 0.5, 1.0)]
        ):
            left, top = round((width - w) * across), round((height - h) * down)
            views.append(whole.resize(_SIZE, Image.Resampling.BOX, (left, top, left + w, top + h)))
    views.extend(
        whole.rotate(turn, Image.Resampling.BILINEAR, fillcolor=(255, 255, 255)).resize(
            _SIZE, Image.Resampling.BOX
        )
        for turn in _TURNS
    )
    return np.stack([np.asarray(view, dtype=np.float32) / 255.0 for view in views])


def _shade(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return luminance, the two axes of pixels made one."""
    grey = values @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    # no -1: of a base without a picture there is nothing to infer it from
    size = grey.shape[-2] * grey.shape[-1]
    flat: NDArray[np.float32] = grey.reshape(*grey.shape[:-2], size)
    return flat


def _centred(values: NDArray[np.float32]) -> NDArray[np.float32]:
    centred = values - values.mean(axis=-1, keepdims=True)
    length = np.linalg.norm(centred, axis=-1, keepdims=True)
    unit: NDArray[np.float32] = (centred / np.maximum(length, 1e-6)).astype(np.float32)
    return unit


def _histogram(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the share of each of 64 colours."""
    bins = np.minimum((values.reshape(-1, 3) * _BINS).astype(np.int64), _BINS - 1)
    codes = bins @ np.array([_BINS * _BINS, _BINS, 1])
    return (np.bincount(codes, minlength=_BINS**3) / len(codes)).astype(np.float32)
