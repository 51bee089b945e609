"""Which flat colours a drawing is made of, and which of them each pixel belongs to.

Edges of a drawn figure are blurred: a pixel between white and red is pink, and pink is no colour
of the drawing. So colours are counted on pixels that agree with their neighbours, and a pixel on
an edge goes to one of the colours that lie beside it when it is a mix of two of them. What no mix
explains (the small figures of a coat of arms) adds colours of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scenes.colours import lab_of
from scenes.model import Pixels

__all__ = ["colour_layers"]

Labels = NDArray[np.int16]
Floats = NDArray[np.float64]

_SAME = 5.0  # distance in Lab under which two neighbours are the same paint
_APART = 13.0  # distance from which two paints are different
_MIX = 28.0  # how far from the line between two paints a mix of them may lie, in RGB
_STRANGE = 40.0  # distance in RGB from all such lines that no blur explains
_REACH = 5  # width of the window in which a mixed pixel looks for its two paints
_FEWEST = 8  # pixels that make a colour


def colour_layers(image: Pixels, *, most: int = 14) -> tuple[Labels, NDArray[np.uint8]]:
    """Assign each pixel to one of few flat colours.

    Args:
        image: ``(height, width, 3)``.
        most: Largest number of colours.

    Returns:
        ``(height, width)`` numbers of colours, and the colours ``(colours, 3)`` in RGB.
    """
    lab = lab_of(image)
    flat = _flat(lab)
    seeds = _colours(image[flat], most=most) if flat.any() else np.empty((0, 3), np.uint8)
    leftover = _unexplained(image, flat, seeds)
    if leftover.sum() >= _FEWEST and len(seeds) < most:
        seeds = np.concatenate([seeds, _colours(image[leftover], most=most - len(seeds))])
        seeds = _without_doubles(seeds)
    if len(seeds) == 0:
        seeds = image.reshape(-1, 3).mean(axis=0, keepdims=True).round().astype(np.uint8)
    return _assign(image, lab, flat, seeds), seeds


def _flat(lab: Floats) -> NDArray[np.bool_]:
    """Pixels that agree with at least three of their four neighbours (outside agrees)."""
    agree = np.zeros(lab.shape[:2], dtype=np.int8)
    down = np.linalg.norm(lab[1:] - lab[:-1], axis=-1) < _SAME
    right = np.linalg.norm(lab[:, 1:] - lab[:, :-1], axis=-1) < _SAME
    agree[1:] += down
    agree[:-1] += down
    agree[:, 1:] += right
    agree[:, :-1] += right
    agree[[0, -1]] += 1
    agree[:, [0, -1]] += 1
    return agree >= 3


def _colours(pixels: NDArray[np.uint8], *, most: int) -> NDArray[np.uint8]:
    """Frequent colours of some pixels, each at least `_APART` from the more frequent ones."""
    coarse = pixels.astype(np.int32) >> 3
    codes = (coarse[:, 0] << 10) | (coarse[:, 1] << 5) | coarse[:, 2]
    found, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(inverse, pixels[:, c], len(found)) for c in range(3)], axis=1)
    means = (sums / counts[:, None]).round().astype(np.uint8)
    lab = lab_of(means)
    free = np.ones(len(found), dtype=bool)
    chosen: list[int] = []
    for best in np.lexsort((found, -counts)).tolist():
        if not free[best]:
            continue
        near = free & (np.linalg.norm(lab - lab[best], axis=1) < _APART)
        free &= ~near
        if counts[near].sum() >= _FEWEST:
            chosen.append(best)
        if len(chosen) == most:
            break
    result: NDArray[np.uint8] = means[chosen]
    return result


def _without_doubles(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    lab = lab_of(colours)
    keep: list[int] = []
    for row in range(len(colours)):
        if all(np.linalg.norm(lab[row] - lab[other]) >= _APART for other in keep):
            keep.append(row)
    return colours[keep]


def _unexplained(
    image: Pixels, flat: NDArray[np.bool_], seeds: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """Pixels that are neither near a colour nor a mix of two colours of the drawing."""
    result = ~flat
    if len(seeds) == 0 or not result.any():
        return result
    points, colours = image[result].astype(np.float64), seeds.astype(np.float64)
    distance = _to_colours(points, colours).min(axis=1)
    for first in range(len(colours)):
        for second in range(first):
            away, _ = _to_line(points, colours[first], colours[second])
            distance = np.minimum(distance, away)
    result[result] = distance > _STRANGE
    return result


def _assign(
    image: Pixels, lab: Floats, flat: NDArray[np.bool_], seeds: NDArray[np.uint8]
) -> Labels:
    """Nearest colour for flat pixels, and for others unless they mix two that lie beside them."""
    distance = _to_colours(lab.reshape(-1, 3), lab_of(seeds)).reshape(*flat.shape, len(seeds))
    nearest: Labels = distance.argmin(axis=-1).astype(np.int16)
    edge = ~flat & (distance.min(axis=-1) > _SAME / 2)
    if not edge.any() or len(seeds) < 2:
        return nearest
    beside = np.stack(
        [
            ndimage.maximum_filter(flat & (nearest == colour), size=_REACH)[edge]
            for colour in range(len(seeds))
        ]
    )
    points, colours = image[edge].astype(np.float64), seeds.astype(np.float64)
    chosen = nearest[edge]
    own = np.linalg.norm(points - colours[chosen], axis=1)
    best = np.where(beside[chosen, np.arange(len(points))], own, np.inf)
    for first in range(len(colours)):
        for second in range(first):
            both = beside[first] & beside[second]
            if not both.any():
                continue
            away, share = _to_line(points, colours[first], colours[second])
            better = both & (away < _MIX) & (away < best)
            best[better] = away[better]
            chosen[better] = np.where(share[better] < 0.5, first, second)
    nearest[edge] = chosen
    return nearest


def _to_colours(points: Floats, colours: Floats) -> Floats:
    squares = (points**2).sum(1)[:, None] - 2 * points @ colours.T + (colours**2).sum(1)[None]
    result: Floats = np.sqrt(np.maximum(squares, 0.0))
    return result


def _to_line(points: Floats, start: Floats, end: Floats) -> tuple[Floats, Floats]:
    """Distance of points from a segment, and how far along it they lie (0 start, 1 end).

    In RGB, since pictures are shrunk in RGB: in Lab a mix of red and white lies off their line.
    """
    along = end - start
    share = np.clip((points - start) @ along / max(float(along @ along), 1e-9), 0.0, 1.0)
    return np.linalg.norm(points - (start + share[:, None] * along), axis=1), share
