"""What a figure's outline is like, as numbers that stay when the figure is moved or resized."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

__all__ = ["SHAPE_DESCRIPTORS", "shape_numbers"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

_ANGLES = 48
_WAVES = 8

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

_SIDE = 128  # longer figures are thinned out: a star of 14 points needs no more


def shape_numbers(mask: Mask) -> list[float]:
    """Return the numbers of `SHAPE_DESCRIPTORS` for a figure.

    Args:
        mask: ``(height, width)`` bool, cut to the figure's box.
    """
    step = -(-max(mask.shape) // _SIDE)
    mask = mask[step // 2 :: step, step // 2 :: step] if step > 1 else mask
    if not mask.any():
        mask = np.ones((1, 1), dtype=bool)
    padded = np.pad(mask, 1)
    whole = ndimage.binary_fill_holes(padded)
    hull = _hull(whole)
    area, whole_area, hull_area = (float(np.count_nonzero(m)) for m in (padded, whole, hull))
    rows, columns = np.nonzero(whole)
    centre = (float(rows.mean()), float(columns.mean()))
    moments = _central_moments(whole, centre)
    hu = [math.copysign(math.log10(1 + 1e4 * abs(v)), v) for v in _hu(moments)]
    spread = math.hypot(moments[2, 0] - moments[0, 2], 2 * moments[1, 1])
    total = moments[2, 0] + moments[0, 2]
    inside = ndimage.distance_transform_edt(padded)
    return [
        area / mask.size,
        whole_area / mask.size,
        area / hull_area,
        whole_area / hull_area,
        _circularity(whole, whole_area),
        spread / max(total, 1e-9),
        2 * abs(moments[1, 1]) / max(total, 1e-9),
        *hu,
        *_symmetries(padded),
        *_holes(padded, whole, whole_area),
        float(padded[round(centre[0]), round(centre[1])]),
        math.hypot(centre[0] - padded.shape[0] / 2, centre[1] - padded.shape[1] / 2)
        / math.sqrt(whole_area),
        float(inside.max()) / math.sqrt(area),
        *_bays(whole, hull, hull_area),
        *_profile(whole, centre),
    ]


def _hull(mask: Mask) -> Mask:
    """Convex hull of a mask, as a mask of pixel centres."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    # the two ends of each row have the same hull as all pixels
    points = np.stack([np.tile(rows, 2), np.concatenate([first, last])], axis=1)
    try:
        corners = points[ConvexHull(points).vertices]
    except (QhullError, ValueError):  # fewer than three points, or all on one line
        return mask
    drawn = Image.new("1", (mask.shape[1], mask.shape[0]))
    ImageDraw.Draw(drawn).polygon(
        [(int(x), int(y)) for y, x in corners.tolist()], fill=1, outline=1
    )
    result: Mask = np.asarray(drawn) | mask
    return result


def _central_moments(mask: Mask, centre: tuple[float, float]) -> Floats:
    """Central moments up to order 3, made independent of size (Hu 1962)."""
    area = float(np.count_nonzero(mask))
    orders = np.arange(4)
    down = (np.arange(mask.shape[0]) - centre[0])[:, None] ** orders
    right = (np.arange(mask.shape[1]) - centre[1])[:, None] ** orders
    sums: Floats = np.asarray(right.T @ (mask.astype(np.float64).T @ down), dtype=np.float64)
    return sums / area ** (1 + (orders[:, None] + orders[None, :]) / 2)


def _hu(n: Floats) -> list[float]:
    """The first four of Hu's seven invariants."""
    return [
        n[2, 0] + n[0, 2],
        (n[2, 0] - n[0, 2]) ** 2 + 4 * n[1, 1] ** 2,
        (n[3, 0] - 3 * n[1, 2]) ** 2 + (3 * n[2, 1] - n[0, 3]) ** 2,
        (n[3, 0] + n[1, 2]) ** 2 + (n[2, 1] + n[0, 3]) ** 2,
    ]


def _circularity(mask: Mask, area: float) -> float:
    """4 pi area / perimeter^2, the perimeter counted by Cauchy-Crofton in four directions."""
    straight: int = sum(
        int(np.count_nonzero(a != b))
        for a, b in ((mask[1:], mask[:-1]), (mask[:, 1:], mask[:, :-1]))
    )
    slanted = sum(
        int(np.count_nonzero(a != b))
        for a, b in ((mask[1:, 1:], mask[:-1, :-1]), (mask[1:, :-1], mask[:-1, 1:]))
    )
    perimeter = math.pi / 8 * (straight + slanted / math.sqrt(2))
    return min(4 * math.pi * area / max(perimeter, 1.0) ** 2, 2.0)


def _symmetries(mask: Mask) -> list[float]:
    turned = (mask[:, ::-1], mask[::-1], mask[::-1, ::-1])
    return [
        float(np.count_nonzero(mask & other) / np.count_nonzero(mask | other)) for other in turned
    ]


def _holes(mask: Mask, whole: Mask, whole_area: float) -> list[float]:
    holes = whole & ~mask
    _, count = ndimage.label(holes)
    return [math.log1p(count), float(np.count_nonzero(holes)) / whole_area]


def _bays(whole: Mask, hull: Mask, hull_area: float) -> list[float]:
    """Pieces of the hull that the figure leaves free: one for a crescent, five for a star."""
    pieces, count = ndimage.label(hull & ~whole)
    sizes = np.sort(np.bincount(pieces.ravel(), minlength=count + 1)[1:])[::-1] / hull_area
    large = sizes[sizes > 0.015]
    three = [*large[:3].tolist(), 0.0, 0.0, 0.0][:3]
    return [float(np.clip(large.size, 0, 12)) / 4, *three, float(sizes.sum())]


def _profile(whole: Mask, centre: tuple[float, float]) -> list[float]:
    """Farthest pixel from the centre in each direction: peaks, deviation, Fourier amplitudes."""
    edge = whole & ~ndimage.binary_erosion(whole)
    rows, columns = np.nonzero(edge)
    dy, dx = rows - centre[0], columns - centre[1]
    radius = np.hypot(dx, dy)
    sector = ((np.arctan2(dy, dx) + math.pi) / (2 * math.pi) * _ANGLES).astype(int) % _ANGLES
    farthest = np.zeros(_ANGLES)
    np.maximum.at(farthest, sector, radius)
    empty = farthest == 0
    if empty.all():
        return [0.0] * (2 + _WAVES)
    if empty.any():
        known = np.flatnonzero(~empty)
        farthest = np.interp(np.arange(_ANGLES), known, farthest[known], period=_ANGLES)
    farthest = farthest / farthest.mean()
    smooth = ndimage.uniform_filter1d(farthest, 3, mode="wrap")
    before, after = np.roll(smooth, 1), np.roll(smooth, -1)
    peaks = np.count_nonzero((smooth > before) & (smooth >= after) & (smooth > 1.03))
    amplitude = np.abs(np.fft.rfft(farthest))[1 : _WAVES + 1] * 2 / _ANGLES
    return [min(int(peaks), 16) / 5, float(farthest.std()), *amplitude.tolist()]
