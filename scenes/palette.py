"""Which flat colours a drawing is made of, and which of them each pixel belongs to.

Edges of a drawn figure are blurred: a pixel between white and red is pink, and pink is no colour
of the drawing. So colours are counted on pixels that agree with their neighbours, and a pixel on
an edge goes to one of the colours that lie beside it when it is a mix of two of them. What no mix
explains (the small figures of a coat of arms) adds colours of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from scenes.colours import lab_of
from scenes.model import Pixels
from scenes.runs import Runs

__all__ = ["colour_layers"]

Labels = NDArray[np.int16]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_SAME = 5.0  # distance in Lab under which two neighbours are the same paint
_APART = 13.0  # distance from which two paints are different
_MIX = 28.0  # how far from the line between two paints a mix of them may lie, in RGB
_STRANGE = 40.0  # distance in RGB from all such lines that no blur explains
_REACH = 5  # width of the window in which a mixed pixel looks for its two paints
_FEWEST = 8  # pixels that make a colour


@dataclass(frozen=True, slots=True, eq=False)
class _Paints:
    """The colours that occur in an image, each looked at once.

    Attributes:
        rgb: ``(paints, 3)``.
        lab: ``(paints, 3)``.
        number: ``(height, width)`` the paint of each pixel.
    """

    rgb: NDArray[np.uint8]
    lab: Floats
    number: Integers

    @classmethod
    def of(cls, image: Pixels) -> Self:
        parts = image.astype(np.int32)
        runs = Runs.of((parts[..., 0] << 16) | (parts[..., 1] << 8) | parts[..., 2])
        codes, paint = np.unique(runs.values, return_inverse=True)
        rgb = np.stack([codes >> 16, (codes >> 8) & 255, codes & 255], axis=1).astype(np.uint8)
        return cls(rgb, lab_of(rgb), paint[runs.number])


def colour_layers(image: Pixels, *, most: int = 14) -> tuple[Labels, NDArray[np.uint8]]:
    """Assign each pixel to one of few flat colours.

    Args:
        image: ``(height, width, 3)``.
        most: Largest number of colours.

    Returns:
        ``(height, width)`` numbers of colours, and the colours ``(colours, 3)`` in RGB.
    """
    paints = _Paints.of(image)
    flat = _flat(paints)
    seeds = _colours(paints, paints.number[flat], most=most)
    leftover = ~flat
    leftover[leftover] = _unexplained(paints, seeds)[paints.number[leftover]]
    if leftover.sum() >= _FEWEST and len(seeds) < most:
        more = _colours(paints, paints.number[leftover], most=most - len(seeds))
        seeds = _without_doubles(np.concatenate([seeds, more]))
    if len(seeds) == 0:
        seeds = image.reshape(-1, 3).mean(axis=0, keepdims=True).round().astype(np.uint8)
    return _assign(paints, flat, seeds), seeds


def _flat(paints: _Paints) -> NDArray[np.bool_]:
    """Pixels that agree with at least three of their four neighbours (outside agrees)."""
    number = paints.number
    agree = np.zeros(number.shape, dtype=np.int8)
    down = _same(paints, number[1:], number[:-1])
    right = _same(paints, number[:, 1:], number[:, :-1])
    agree[1:] += down
    agree[:-1] += down
    agree[:, 1:] += right
    agree[:, :-1] += right
    agree[[0, -1]] += 1
    agree[:, [0, -1]] += 1
    return agree >= 3


def _same(paints: _Paints, one: Integers, other: Integers) -> NDArray[np.bool_]:
    """Tell where two neighbours are the same paint."""
    same: NDArray[np.bool_] = one == other
    rest = ~same
    same[rest] = np.linalg.norm(paints.lab[one[rest]] - paints.lab[other[rest]], axis=-1) < _SAME
    return same


def _colours(paints: _Paints, pixels: Integers, *, most: int) -> NDArray[np.uint8]:
    """Frequent colours of some pixels, each at least `_APART` from the more frequent ones."""
    number = np.bincount(pixels, minlength=len(paints.rgb))
    seen = np.flatnonzero(number)
    number, rgb = number[seen], paints.rgb[seen]
    coarse = rgb.astype(np.int32) >> 3
    codes = (coarse[:, 0] << 10) | (coarse[:, 1] << 5) | coarse[:, 2]
    found, inverse = np.unique(codes, return_inverse=True)
    counts = np.bincount(inverse, number, len(found)).astype(np.int64)
    sums = np.stack(
        [np.bincount(inverse, rgb[:, c] * number, len(found)) for c in range(3)], axis=1
    )
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


def _unexplained(paints: _Paints, seeds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Paints that are neither near a colour nor a mix of two colours of the drawing."""
    points, colours = paints.rgb.astype(np.float64), seeds.astype(np.float64)
    if len(seeds) == 0:
        return np.ones(len(points), dtype=bool)
    distance = _to_colours(points, colours).min(axis=1)
    for first in range(len(colours)):
        for second in range(first):
            far = np.flatnonzero(distance > _STRANGE)
            away, _ = _to_line(points[far], colours[first], colours[second])
            distance[far] = np.minimum(distance[far], away)
    strange: NDArray[np.bool_] = distance > _STRANGE
    return strange


def _assign(paints: _Paints, flat: NDArray[np.bool_], seeds: NDArray[np.uint8]) -> Labels:
    """Nearest colour for flat pixels, and for others unless they mix two that lie beside them."""
    distance = _to_colours(paints.lab, lab_of(seeds))
    nearest: Labels = distance.argmin(axis=-1).astype(np.int16)[paints.number]
    edge = ~flat & (distance.min(axis=-1) > _SAME / 2)[paints.number]
    if not edge.any() or len(seeds) < 2:
        return nearest
    beside = _beside(nearest, flat, edge, len(seeds))
    points, colours = paints.rgb[paints.number[edge]].astype(np.float64), seeds.astype(np.float64)
    chosen = nearest[edge]
    own = np.linalg.norm(points - colours[chosen], axis=1)
    best = np.where(beside[chosen, np.arange(len(points))], own, np.inf)
    for first in range(len(colours)):
        for second in range(first):
            both = np.flatnonzero(beside[first] & beside[second])
            if not both.size:
                continue
            away, share = _to_line(points[both], colours[first], colours[second])
            better = (away < _MIX) & (away < best[both])
            best[both[better]] = away[better]
            chosen[both[better]] = np.where(share[better] < 0.5, first, second)
    nearest[edge] = chosen
    return nearest


def _beside(
    nearest: Labels, flat: NDArray[np.bool_], edge: NDArray[np.bool_], count: int
) -> NDArray[np.bool_]:
    """``(colours, pixels of the edge)`` which colours lie flat within `_REACH` of a pixel."""
    kind = np.dtype(f"u{next(size for size in (1, 2, 4, 8) if 8 * size >= count)}")
    bits = np.where(flat, np.left_shift(1, np.arange(count)).astype(kind)[nearest], kind.type(0))
    for axis in (0, 1):
        lines = np.moveaxis(bits, axis, 0)
        seen = lines.copy()
        for step in range(1, _REACH // 2 + 1):
            seen[step:] |= lines[:-step]
            seen[:-step] |= lines[step:]
        bits = np.moveaxis(seen, 0, axis)
    colours = np.arange(count, dtype=kind)
    found: NDArray[np.bool_] = (bits[edge] >> colours[:, None]) & kind.type(1) > 0
    return found


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
