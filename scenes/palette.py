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

from scenes import colour_loops
from scenes.colours import lab_of
from scenes.model import Pixels

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
    number: NDArray[np.int32]

    @classmethod
    def of(cls, image: Pixels) -> Self:
        codes, number = colour_loops.paints(np.ascontiguousarray(image))
        order = np.argsort(codes)
        place = np.empty(len(codes), dtype=np.int32)
        place[order] = np.arange(len(codes))
        codes = codes[order]
        rgb = np.stack([codes >> 16, (codes >> 8) & 255, codes & 255], axis=1).astype(np.uint8)
        return cls(rgb, lab_of(rgb), place[number])


def colour_layers(image: Pixels, *, most: int = 14) -> tuple[Labels, NDArray[np.uint8]]:
    """Assign each pixel to one of few flat colours.

    Args:
        image: ``(height, width, 3)``.
        most: Largest number of colours.

    Returns:
        ``(height, width)`` numbers of colours, and the colours ``(colours, 3)`` in RGB.
    """
    paints = _Paints.of(image)
    flat, (of_edges, of_flats) = colour_loops.flat(paints.number, paints.lab, _SAME)
    seeds = _colours(paints, of_flats, most=most)
    leftover = np.where(_unexplained(paints, seeds), of_edges, 0)
    if leftover.sum() >= _FEWEST and len(seeds) < most:
        more = _colours(paints, leftover, most=most - len(seeds))
        seeds = _without_doubles(np.concatenate([seeds, more]))
    if len(seeds) == 0:
        seeds = image.reshape(-1, 3).mean(axis=0, keepdims=True).round().astype(np.uint8)
    return _assign(paints, flat, seeds), seeds


def _colours(paints: _Paints, pixels: Integers, *, most: int) -> NDArray[np.uint8]:
    """Frequent colours, each at least `_APART` from the more frequent ones.

    Args:
        paints: Of the image.
        pixels: ``(paints,)`` how many there are of each.
        most: Largest number of colours.
    """
    seen = np.flatnonzero(pixels)
    number, rgb = pixels[seen], paints.rgb[seen]
    coarse = rgb.astype(np.int32) >> 3
    codes = (coarse[:, 0] << 10) | (coarse[:, 1] << 5) | coarse[:, 2]
    found, inverse = np.unique(codes, return_inverse=True)
    counts = np.bincount(inverse, number, len(found)).astype(np.int64)
    sums = np.stack(
        [np.bincount(inverse, rgb[:, c] * number, len(found)) for c in range(3)], axis=1
    )
    means = (sums / counts[:, None]).round().astype(np.uint8)
    order = np.lexsort((found, -counts))
    kept = colour_loops.chosen(lab_of(means), counts, order, _APART, _FEWEST, most)
    result: NDArray[np.uint8] = means[kept]
    return result


def _without_doubles(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    lab = lab_of(colours)
    apart = (np.linalg.norm(lab[:, None] - lab, axis=-1) >= _APART).tolist()
    keep: list[int] = []
    for row in range(len(colours)):
        if all(apart[row][other] for other in keep):
            keep.append(row)
    return colours[keep]


def _unexplained(paints: _Paints, seeds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Paints that are neither near a colour nor a mix of two colours of the drawing."""
    points, colours = paints.rgb.astype(np.float64), seeds.astype(np.float64)
    if len(seeds) == 0:
        return np.ones(len(points), dtype=bool)
    distance = _to_colours(points, colours).min(axis=1)
    strange: NDArray[np.bool_] = colour_loops.unexplained(points, colours, distance, _STRANGE)
    return strange


def _assign(paints: _Paints, flat: NDArray[np.bool_], seeds: NDArray[np.uint8]) -> Labels:
    """Nearest colour for flat pixels, and for others unless they mix two that lie beside them."""
    distance = _to_colours(paints.lab, lab_of(seeds))
    chosen: Labels = colour_loops.assigned(
        paints.number,
        flat,
        distance.argmin(axis=-1).astype(np.int16),
        distance.min(axis=-1) > _SAME / 2,
        paints.rgb.astype(np.float64),
        seeds.astype(np.float64),
        _REACH // 2,
        _MIX,
    )
    return chosen


def _to_colours(points: Floats, colours: Floats) -> Floats:
    squares = (points**2).sum(1)[:, None] - 2 * points @ colours.T + (colours**2).sum(1)[None]
    result: Floats = np.sqrt(np.maximum(squares, 0.0))
    return result
