"""Drawn examples: flags made up at random, of which every part is known.

Fifteen crescents on flags teach nobody what a crescent is; two hundred drawn ones do.
The drawings start the classifier of `scenes.labels`; descriptions of real flags then correct it.
Shapes that nobody draws with a few lines (birds, lions, coats of arms) come from real flags only.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy import ndimage

from scenes.colours import colour_name
from scenes.figures import FIGURES, Canvas, Generator, Points, box_corners
from scenes.masks import box_of
from scenes.model import Region

__all__ = ["DRAWN_LABELS", "drawn_scene"]

DRAWN_LABELS = (
    "band",
    "crescent",
    "cross",
    "disc",
    "edge",
    "field",
    "other",
    "rectangle",
    "shield",
    "star",
    "sun",
    "triangle",
)
"""Labels of which `drawn_scene` draws examples."""

_PAINTS = (
    (206, 17, 38),
    (255, 255, 255),
    (0, 56, 168),
    (0, 122, 61),
    (252, 209, 22),
    (0, 0, 0),
    (117, 178, 221),
    (255, 136, 20),
)
_HEIGHTS = (128, 140, 154, 160, 171, 192)
_FEWEST = 6


def drawn_scene(generator: Generator) -> tuple[tuple[Region, ...], tuple[str, ...]]:
    """Draw one flag at random.

    Args:
        generator: Where the randomness comes from.

    Returns:
        Its regions, largest first, and the label of each.

    Example:
        >>> regions, labels = drawn_scene(np.random.default_rng(0))
        >>> len(regions) == len(labels) and set(labels) <= set(DRAWN_LABELS)
        True
    """
    canvas = Canvas(256, int(generator.choice(_HEIGHTS)))
    _ground(canvas, generator)
    if generator.random() < 0.25:
        _hoist(canvas, generator)
    for _ in range(int(generator.integers(1, 6))):
        _figure(canvas, generator)
    return _regions(canvas)


def _regions(canvas: Canvas) -> tuple[tuple[Region, ...], tuple[str, ...]]:
    numbers = canvas.numbers()
    found: list[tuple[Region, str]] = []
    for number, label in enumerate(canvas.labels):
        pieces, count = ndimage.label(numbers == number)
        for piece in range(1, count + 1):
            mask = pieces == piece
            if np.count_nonzero(mask) < _FEWEST:
                continue
            rgb = _PAINTS[canvas.paints[number]]
            region = Region(box_xyxy=box_of(mask), mask=mask, colour=colour_name(rgb), rgb=rgb)
            found.append((region, label))
    found.sort(key=lambda pair: (-pair[0].area, pair[0].box_xyxy[1], pair[0].box_xyxy[0]))
    return tuple(region for region, _ in found), tuple(label for _, label in found)


def _paint(canvas: Canvas, generator: Generator) -> int:
    """A paint other than that of the latest shape."""
    latest = canvas.paints[-1] if canvas.paints else -1
    return int(generator.choice([p for p in range(len(_PAINTS)) if p != latest]))


def _ground(canvas: Canvas, generator: Generator) -> None:
    kind = generator.choice(
        ["field", "bands", "stripes", "cross", "diagonal"], p=[0.3, 0.4, 0.07, 0.13, 0.1]
    )
    w, h = canvas.width, canvas.height
    if kind in ("bands", "stripes"):
        count = int(generator.integers(2, 6) if kind == "bands" else generator.integers(9, 15))
        widths = np.ones(count)
        if kind == "bands" and generator.random() < 0.35:
            widths = generator.uniform(0.15, 1.5, count)
        ends = np.concatenate([[0], np.cumsum(widths) / widths.sum()])
        vertical = kind == "bands" and generator.random() < 0.3
        for low, high in itertools.pairwise(ends):
            box = (low * w, 0, high * w, h) if vertical else (0, low * h, w, high * h)
            canvas.polygon(box_corners(*box), canvas.add("band", _paint(canvas, generator)))
        return
    canvas.polygon(box_corners(0, 0, w, h), canvas.add("field", _paint(canvas, generator)))
    if kind == "cross":
        _great_cross(canvas, generator)
    elif kind == "diagonal":
        thickness = float(generator.uniform(0.05, 0.3)) * h
        ends_at: Points = [(-40.0, h + 40.0 * h / w), (w + 40.0, -40.0 * h / w)]
        if generator.random() < 0.5:
            ends_at = [(x, h - y) for x, y in ends_at]
        if generator.random() < 0.5:
            rim = canvas.add("band", _paint(canvas, generator))
            canvas.line(ends_at, thickness * 1.5, rim)
        canvas.line(ends_at, thickness, canvas.add("band", _paint(canvas, generator)))


def _great_cross(canvas: Canvas, generator: Generator) -> None:
    w, h = canvas.width, canvas.height
    x = w * float(generator.choice([0.36, 0.5]))
    thickness = h * float(generator.uniform(0.1, 0.28))
    arms: list[Points] = [[(x, -9), (x, h + 9)], [(-9, h / 2), (w + 9, h / 2)]]
    if generator.random() < 0.25:
        arms = [
            [(-20, -20 * h / w), (w + 20, h + 20 * h / w)],
            [(-20, h + 20 * h / w), (w + 20, -20 * h / w)],
        ]
    if generator.random() < 0.35:
        rim = canvas.add("edge", _paint(canvas, generator))
        for arm in arms:
            canvas.line(arm, thickness * 1.6, rim)
    number = canvas.add("cross", _paint(canvas, generator))
    for arm in arms:
        canvas.line(arm, thickness, number)


def _hoist(canvas: Canvas, generator: Generator) -> None:
    """A triangle, a band or a rectangle at the left side."""
    w, h = canvas.width, canvas.height
    kind = generator.choice(["triangle", "band", "rectangle"])
    number = canvas.add(str(kind), _paint(canvas, generator))
    reach = w * float(generator.uniform(0.25, 0.5))
    if kind == "triangle":
        canvas.polygon([(0, 0), (reach, h / 2), (0, h)], number)
    elif kind == "band":
        canvas.polygon(box_corners(0, 0, reach * 0.7, h), number)
    else:
        canvas.polygon(box_corners(0, 0, reach, h * float(generator.uniform(0.35, 0.6))), number)


def _figure(canvas: Canvas, generator: Generator) -> None:
    """One of the figures, or several alike in a row, somewhere on the flag."""
    h = canvas.height
    kind = str(
        generator.choice(
            [
                "star",
                "crescent",
                "disc",
                "sun",
                "cross",
                "triangle",
                "rectangle",
                "shield",
                "other",
            ],
            p=[0.18, 0.2, 0.08, 0.09, 0.06, 0.05, 0.05, 0.05, 0.24],
        )
    )
    count = int(generator.integers(2, 7)) if kind == "star" and generator.random() < 0.4 else 1
    radius = h * math.exp(generator.uniform(math.log(0.03), math.log(0.3 if count == 1 else 0.08)))
    x = canvas.width * float(generator.choice([0.25, 0.5, 0.5, 0.75])) + generator.normal(0, 12)
    y = h * float(generator.choice([0.3, 0.5, 0.5])) + generator.normal(0, 8)
    paint = _paint(canvas, generator)
    for index in range(count):
        number = canvas.add(kind, paint)
        place = x + (index - (count - 1) / 2) * radius * 2.6
        FIGURES[kind](canvas, generator, place, y, radius, number)
    if kind in ("crescent", "disc") and generator.random() < 0.5:
        star = canvas.add("star", _paint(canvas, generator) if kind == "disc" else paint)
        at = x + (radius * float(generator.uniform(0.5, 1.4)) if kind == "crescent" else 0)
        FIGURES["star"](canvas, generator, at, y, radius * float(generator.uniform(0.3, 0.5)), star)
