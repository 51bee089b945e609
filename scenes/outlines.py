"""What a figure's outline is like, as numbers that stay when the figure is moved or resized."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from scenes import hull_loops, outline_loops

__all__ = ["SHAPE_DESCRIPTORS", "shape_numbers"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

_ANGLES = 48
_WAVES = 8
_ORDERS = 1 + (np.arange(4)[:, None] + np.arange(4)) / 2

SHAPE_DESCRIPTORS = (
    "rectangularity",
    "filled_rectangularity",
    "solidity",
    "filled_solidity",
    "circularity",
    "elongation",
    "diagonal",
    "hu1",
    "hu2",
    "hu3",
    "hu4",
    "flip_x",
    "flip_y",
    "turn_half",
    "holes",
    "hole_share",
    "centre_in_mask",
    "centre_off",
    "thickness",
    "bays",
    "largest_bay",
    "second_bay",
    "third_bay",
    "bay_share",
    "peaks",
    "radius_deviation",
    *(f"wave{k}" for k in range(1, _WAVES + 1)),
)
"""Descriptors that do not change when a figure is moved."""

COUNTS = (
    "area",
    "whole",
    "rows",
    "columns",
    "flip_x",
    "flip_y",
    "turn_half",
    "straight",
    "slanted",
    "holes",
    "hole_pixels",
    "hull",
    "depth",
)
"""What `scenes.outline_loops.measured` counts: pixels of the figure, of itself filled and of its
hull, sums of rows and columns, pixels that lie on one another when it is turned, neighbours of
which one is in it (straight and slanted), holes and their pixels, the squared depth."""

_SIDE = 128  # longer figures are thinned out: a star of 14 points needs no more


def shape_numbers(masks: Sequence[Mask]) -> Floats:
    """Return the numbers of `SHAPE_DESCRIPTORS` for figures.

    Args:
        masks: Each ``(height, width)`` bool, cut to the figure's box.

    Returns:
        ``(figures, len(SHAPE_DESCRIPTORS))``.
    """
    known: dict[tuple[tuple[int, ...], bytes], tuple[list[float], Floats]] = {}
    rows = []
    for mask in masks:  # bands of one size, and fifty stars
        looks = (mask.shape, mask.tobytes())
        if looks not in known:
            known[looks] = _rectangle(*mask.shape) if mask.all() else _measured(mask)
        rows.append(known[looks])
    profiles = np.array([profile for _, profile in rows]).reshape(-1, _ANGLES)
    numbers = np.array([numbers for numbers, _ in rows]).reshape(len(rows), -1)
    return np.concatenate([numbers, _waves(profiles)], axis=1)


@lru_cache(maxsize=1024)  # bands of pictures of one size are alike
def _rectangle(height: int, width: int) -> tuple[list[float], Floats]:
    return _measured(np.ones((height, width), dtype=bool))


def _measured(mask: Mask) -> tuple[list[float], Floats]:
    """Return the numbers of a figure up to its profile, and the profile."""
    step = -(-max(mask.shape) // _SIDE)
    mask = mask[step // 2 :: step, step // 2 :: step] if step > 1 else mask
    if not mask.any():
        mask = np.ones((1, 1), dtype=bool)
    mask = np.ascontiguousarray(mask)
    whole = outline_loops.filled(mask)
    counts, bays, edge, down, right = outline_loops.measured(mask, whole, _hull(whole))
    count = dict(zip(COUNTS, counts.tolist(), strict=True))
    area, whole_area, hull_area = (float(count[name]) for name in ("area", "whole", "hull"))
    centre = (count["rows"] / whole_area, count["columns"] / whole_area)
    sums = right.T @ (whole.astype(np.float64).T @ down)
    moments = (sums / whole_area**_ORDERS).tolist()  # central, independent of size (Hu 1962)
    hu = [math.copysign(math.log10(1 + 1e4 * abs(v)), v) for v in _hu(moments)]
    total = moments[2][0] + moments[0][2]
    numbers = [
        area / mask.size,
        whole_area / mask.size,
        area / hull_area,
        whole_area / hull_area,
        _circularity(count["straight"], count["slanted"], whole_area),
        math.hypot(moments[2][0] - moments[0][2], 2 * moments[1][1]) / max(total, 1e-9),
        2 * abs(moments[1][1]) / max(total, 1e-9),
        *hu,
        *(count[n] / (2 * count["area"] - count[n]) for n in ("flip_x", "flip_y", "turn_half")),
        math.log1p(count["holes"]),
        count["hole_pixels"] / whole_area,
        float(mask[round(centre[0]) - 1, round(centre[1]) - 1]),
        math.hypot(centre[0] - whole.shape[0] / 2, centre[1] - whole.shape[1] / 2)
        / math.sqrt(whole_area),
        math.sqrt(count["depth"]) / math.sqrt(area),
        *_bays(bays, hull_area),
    ]
    return numbers, _profile(edge[0] - centre[0], edge[1] - centre[1])


def _hull(whole: Mask) -> NDArray[np.uint8]:
    """Draw the convex hull of pixel centres; not 0 where it is, beside the figure."""
    flat = hull_loops.corners(whole).ravel().tolist()
    if len(set(zip(flat[::2], flat[1::2], strict=True))) < 3:  # a point or a line
        return whole.view(np.uint8)
    drawn = Image.new("L", (whole.shape[1], whole.shape[0]))
    ImageDraw.Draw(drawn).polygon(flat, fill=1, outline=1)
    return np.asarray(drawn)


def _hu(n: list[list[float]]) -> list[float]:
    """The first four of Hu's seven invariants."""
    return [
        n[2][0] + n[0][2],
        (n[2][0] - n[0][2]) ** 2 + 4 * n[1][1] ** 2,
        (n[3][0] - 3 * n[1][2]) ** 2 + (3 * n[2][1] - n[0][3]) ** 2,
        (n[3][0] + n[1][2]) ** 2 + (n[2][1] + n[0][3]) ** 2,
    ]


def _circularity(straight: int, slanted: int, area: float) -> float:
    """4 pi area / perimeter^2, the perimeter counted by Cauchy-Crofton in four directions."""
    perimeter = math.pi / 8 * (straight + slanted / math.sqrt(2))
    return min(4 * math.pi * area / max(perimeter, 1.0) ** 2, 2.0)


def _bays(pixels: NDArray[np.int64], hull_area: float) -> list[float]:
    """Pieces of the hull that the figure leaves free: one for a crescent, five for a star."""
    if not pixels.size:
        return [0.0] * 5
    sizes = np.sort(pixels)[::-1] / hull_area
    large = sizes[sizes > 0.015]
    three = [*large[:3].tolist(), 0.0, 0.0, 0.0][:3]
    return [min(large.size, 12) / 4, *three, float(sizes.sum())]


def _profile(dy: Floats, dx: Floats) -> Floats:
    """``(_ANGLES,)`` distance of the farthest pixel of the edge in each direction."""
    sector = ((np.arctan2(dy, dx) + math.pi) / (2 * math.pi) * _ANGLES).astype(int) % _ANGLES
    farthest = np.zeros(_ANGLES)
    np.maximum.at(farthest, sector, np.hypot(dx, dy))
    known = np.flatnonzero(farthest)
    if 0 < len(known) < _ANGLES:
        farthest = np.interp(np.arange(_ANGLES), known, farthest[known], period=_ANGLES)
    return farthest


def _waves(profiles: Floats) -> Floats:
    """Peaks, deviation and Fourier amplitudes of ``(figures, _ANGLES)``; all 0 for a point."""
    mean = profiles.mean(axis=1, keepdims=True)
    farthest = np.divide(profiles, mean, out=np.zeros_like(profiles), where=mean > 0)
    smooth = ndimage.uniform_filter1d(farthest, 3, axis=1, mode="wrap")
    before, after = np.roll(smooth, 1, axis=1), np.roll(smooth, -1, axis=1)
    peaks = ((smooth > before) & (smooth >= after) & (smooth > 1.03)).sum(axis=1)
    amplitude = np.abs(np.fft.rfft(farthest, axis=1))[:, 1 : _WAVES + 1] * 2 / _ANGLES
    return np.column_stack([np.minimum(peaks, 16) / 5, farthest.std(axis=1), amplitude])
