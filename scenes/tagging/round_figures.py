"""What is round on an image: discs, and suns, which are discs with rays.

A sun is rarely one region: its rays may be pieces of their own, its face a heap of small ones. So
each compact region is looked at with the regions of its colour around it, along rings about its
centre: rays are a ring's regular change between in and out, a peak in the ring's spectrum. A star
of five points has one too, hence suns begin at eight rays; of a rising sun the upper half is seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from scenes.masks import filled
from scenes.model import Region

__all__ = ["round_evidence"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_RINGS, _ANGLES = 24, 128
_CORE = slice(1, 7)  # rings that a sun fills
_RAYED = range(8, _RINGS - 2)  # first of three rings that rays cross
_RAYS = {False: (8, 45), True: (7, 24)}  # fewest, and one more than most; of half a circle
_DEEP = 0.25  # half the height of the wave beyond which it counts whole
_FULL = 0.7  # share of the core beyond which it counts whole
_LEAST_SIDE, _LEAST_PIXELS, _MOST_BOX = 8, 30, 0.7
_LEAST_DISC = 0.004  # of the image
_ROUND = 0.93  # a disc that may have rays anywhere
_AROUND = 2.3  # rays reach this far, in half sides of the box
_SHAPES = {"disc": (0.7, 1.45), "sun": (0.6, 1.6), "rising": (1.3, 2.8)}  # width by height


def round_evidence(regions: Sequence[Region]) -> Floats:
    """Return ``(2,)``: how much the best region has rays, and how round the roundest is.

    Both on scales that grow towards what is clear.

    Args:
        regions: Of one image; at least one.

    Example:
        >>> from scenes.regions import segment
        >>> y, x = np.mgrid[:60, :90]
        >>> picture = np.zeros((60, 90, 3), dtype=np.uint8)
        >>> plain = round_evidence(segment(picture))
        >>> picture[np.hypot(y - 30, x - 45) < 20] = 255
        >>> bool(round_evidence(segment(picture))[1] > plain[1] + 2)
        True
    """
    size = regions[0].mask.size
    rayed, roundest = 0.0, 0.0
    for region in regions:
        left, top, right, bottom = region.box_xyxy
        width, height = right - left, bottom - top
        if width * height > _MOST_BOX * size or min(width, height) < _LEAST_SIDE:
            continue
        whole = filled(region.mask, box=region.box_xyxy)
        disc = _roundness(whole, region) if _is("disc", width / height) else 0.0
        if np.count_nonzero(whole) > _LEAST_DISC * size:
            roundest = max(roundest, disc)
        for half in (False, True):
            if _is("rising" if half else "sun", width / height):
                centre = ((bottom - 1) if half else (top + bottom) / 2, (left + right) / 2)
                for mask in (whole, *_with_likes(region, regions, anywhere=disc > _ROUND)):
                    rayed = max(rayed, _rays(mask, centre, half=half))
    return np.array([math.log(rayed + 0.03), -math.log(1.01 - roundest)])


def _is(shape: str, ratio: float) -> bool:
    low, high = _SHAPES[shape]
    return low < ratio < high


def _roundness(whole: Mask, region: Region) -> float:
    """Overlap of a figure and the ellipse in its box, as a share of both."""
    left, top, right, bottom = (int(value) for value in region.box_xyxy)
    cut = whole[top:bottom, left:right]
    y, x = ((np.arange(side) + 0.5) / side * 2 - 1 for side in cut.shape)
    ellipse = y[:, None] ** 2 + x**2 <= 1
    return float(np.count_nonzero(cut & ellipse) / np.count_nonzero(cut | ellipse))


def _with_likes(region: Region, regions: Sequence[Region], *, anywhere: bool) -> Iterator[Mask]:
    """The region with those of its colour around it, if there are any."""
    left, top, right, bottom = region.box_xyxy
    reach = max(right - left, bottom - top) / 2 * _AROUND
    x, y, most = (left + right) / 2, (top + bottom) / 2, 3 * region.area

    def joins(other: Region) -> bool:
        if other is region or other.colour != region.colour or other.area >= most:
            return False
        box = other.box_xyxy
        off = max(x - box[0], box[2] - x, y - box[1], box[3] - y)
        return anywhere or off <= reach

    likes = [other.mask for other in regions if joins(other)]
    if likes:
        yield np.logical_or.reduce([region.mask, *likes])


def _rays(mask: Mask, centre: tuple[float, float], *, half: bool) -> float:
    """How regularly rings about a centre go in and out of a figure, in [0, 1]."""
    rings = _rings(mask, centre, half=half)
    if rings is None:
        return 0.0
    waves = np.abs(np.fft.rfft(rings - rings.mean(axis=1, keepdims=True), axis=1) / _ANGLES) ** 2
    waves = 2 * np.array([waves[start : start + 3].sum(axis=0) for start in _RAYED])
    fewest, most = _RAYS[half]
    best = 0.0
    for wave in waves:
        count = fewest + int(wave[fewest:most].argmax())
        lower = [count // n for n in (2, 3, 4) if count % n == 0 and count // n > 1]
        if any(wave[number] > wave[count] for number in lower):
            continue  # an overtone: of a cross, or a star of five points
        own = wave[count] + (wave[2 * count] if 2 * count < len(wave) else 0.0)
        own += wave[count - 1] / 2 if half else 0.0  # half a circle need not close
        best = max(best, own / (wave[1:].sum() + 1e-6) * min(1, math.sqrt(wave[count] / 3) / _DEEP))
    return float(best * min(1.0, rings[_CORE].mean() / _FULL))


def _rings(mask: Mask, centre: tuple[float, float], *, half: bool) -> Floats | None:
    """``(_RINGS, _ANGLES)`` of a figure about a centre; of the half above it, if asked."""
    y, x = centre
    rows, columns = np.nonzero(mask)
    if len(rows) < _LEAST_PIXELS:
        return None
    height, width = mask.shape
    end = max(y, x, height - y, width - x) if half else min(mask.shape) / 2
    radius = min(float(np.percentile(np.hypot(rows - y, columns - x), 99)), end)
    if radius < _LEAST_SIDE - 2:
        return None
    radii = (np.arange(_RINGS) + 0.5) / _RINGS * radius
    angles = (np.arange(_ANGLES) + half / 2) / _ANGLES * (1 if half else 2) * math.pi
    at_y = np.rint(y - np.outer(radii, np.sin(angles))).astype(np.int64)
    at_x = np.rint(x + np.outer(radii, np.cos(angles))).astype(np.int64)
    inside = (at_y >= 0) & (at_y < height) & (at_x >= 0) & (at_x < width)
    found: Floats = np.where(inside, mask[at_y.clip(0, height - 1), at_x.clip(0, width - 1)], 0.0)
    return found
