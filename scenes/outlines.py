"""What a figure's outline is like, as numbers that stay when the figure is moved or resized."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from scenes.masks import filled

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
    padded = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), dtype=bool)
    padded[1:-1, 1:-1] = mask
    rectangle = bool(mask.all())  # most bands are one, and what follows takes long
    box = (1.0, 1.0, float(mask.shape[1] + 1), float(mask.shape[0] + 1))
    whole = padded if rectangle else filled(padded, box=box)
    hull = whole if rectangle else _hull(whole)
    area, whole_area, hull_area = (float(np.count_nonzero(m)) for m in (padded, whole, hull))
    centre = _centre(whole, whole_area)
    moments = _central_moments(whole, centre, whole_area)
    hu = [math.copysign(math.log10(1 + 1e4 * abs(v)), v) for v in _hu(moments)]
    total = moments[2][0] + moments[0][2]
    depth = (min(mask.shape) + 1) // 2 if rectangle else _depth(padded)
    numbers = [
        area / mask.size,
        whole_area / mask.size,
        area / hull_area,
        whole_area / hull_area,
        _circularity(whole, whole_area),
        math.hypot(moments[2][0] - moments[0][2], 2 * moments[1][1]) / max(total, 1e-9),
        2 * abs(moments[1][1]) / max(total, 1e-9),
        *hu,
        *_symmetries(padded),
        *_holes(padded, whole, whole_area),
        float(padded[round(centre[0]), round(centre[1])]),
        math.hypot(centre[0] - padded.shape[0] / 2, centre[1] - padded.shape[1] / 2)
        / math.sqrt(whole_area),
        depth / math.sqrt(area),
        *_bays(whole, hull, hull_area),
    ]
    return numbers, _profile(whole, centre)


def _centre(mask: Mask, area: float) -> tuple[float, float]:
    """Return the mean row and column."""
    rows, columns = (np.count_nonzero(mask, axis=axis) for axis in (1, 0))
    down, across = rows @ np.arange(len(rows)), columns @ np.arange(len(columns))
    return (float(down) / area, float(across) / area)


def _depth(mask: Mask) -> float:
    """Return the largest distance of a pixel from the ground."""
    rows, columns = ndimage.distance_transform_edt(
        mask, return_distances=False, return_indices=True
    )
    down = rows - np.arange(mask.shape[0], dtype=rows.dtype)[:, None]
    across = columns - np.arange(mask.shape[1], dtype=rows.dtype)
    return math.sqrt(int((down * down + across * across).max()))


def _hull(mask: Mask) -> Mask:
    """Convex hull of a mask, as a mask of pixel centres."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    # the two ends of each row have the same hull as all pixels
    left, right = _chain(first, rows), _chain(-last, rows)
    corners = [*left, *((-x, y) for x, y in reversed(right))]
    if len(set(corners)) < 3:  # a point or a line
        return mask
    drawn = Image.new("1", (mask.shape[1], mask.shape[0]))
    ImageDraw.Draw(drawn).polygon(corners, fill=1, outline=1)
    result: Mask = np.asarray(drawn) | mask
    return result


def _chain(across: NDArray[np.int64], rows: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the corners of the hull on the side of the smaller numbers (Andrew 1979)."""
    if len(rows) > 2:  # what does not stick out between its neighbours is no corner
        before, after = rows[1:-1] - rows[:-2], rows[2:] - rows[:-2]
        bent = (across[1:-1] - across[:-2]) * after < (across[2:] - across[:-2]) * before
        kept = np.concatenate([[True], bent, [True]])
        across, rows = across[kept], rows[kept]
    corners: list[tuple[int, int]] = []
    for x, y in zip(across.tolist(), rows.tolist(), strict=True):
        while len(corners) > 1:
            (x0, y0), (x1, y1) = corners[-2:]
            if (x1 - x0) * (y - y0) < (x - x0) * (y1 - y0):
                break
            corners.pop()
        corners.append((x, y))
    return corners


def _central_moments(mask: Mask, centre: tuple[float, float], area: float) -> list[list[float]]:
    """Central moments up to order 3, made independent of size (Hu 1962)."""
    down = np.vander(np.arange(mask.shape[0]) - centre[0], 4, increasing=True)
    right = np.vander(np.arange(mask.shape[1]) - centre[1], 4, increasing=True)
    sums = right.T @ (mask.astype(np.float64).T @ down)
    found: list[list[float]] = (sums / area**_ORDERS).tolist()
    return found


def _hu(n: list[list[float]]) -> list[float]:
    """The first four of Hu's seven invariants."""
    return [
        n[2][0] + n[0][2],
        (n[2][0] - n[0][2]) ** 2 + 4 * n[1][1] ** 2,
        (n[3][0] - 3 * n[1][2]) ** 2 + (3 * n[2][1] - n[0][3]) ** 2,
        (n[3][0] + n[1][2]) ** 2 + (n[2][1] + n[0][3]) ** 2,
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
    count = ndimage.label(holes)[1] if holes.any() else 0
    return [math.log1p(count), float(np.count_nonzero(holes)) / whole_area]


def _bays(whole: Mask, hull: Mask, hull_area: float) -> list[float]:
    """Pieces of the hull that the figure leaves free: one for a crescent, five for a star."""
    free = hull & ~whole
    if not free.any():
        return [0.0] * 5
    pieces, count = ndimage.label(free)
    sizes = np.sort(np.bincount(pieces.ravel(), minlength=count + 1)[1:])[::-1] / hull_area
    large = sizes[sizes > 0.015]
    three = [*large[:3].tolist(), 0.0, 0.0, 0.0][:3]
    return [float(np.clip(large.size, 0, 12)) / 4, *three, float(sizes.sum())]


def _profile(whole: Mask, centre: tuple[float, float]) -> Floats:
    """``(_ANGLES,)`` distance of the farthest pixel from the centre in each direction."""
    inner = whole[:-2, 1:-1] & whole[2:, 1:-1] & whole[1:-1, :-2] & whole[1:-1, 2:]
    edge = whole.copy()
    edge[1:-1, 1:-1] &= ~inner
    rows, columns = np.nonzero(edge)
    dy, dx = rows - centre[0], columns - centre[1]
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
