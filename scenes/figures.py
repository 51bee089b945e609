"""How each figure of `scenes.shapes` is painted: stars, crescents, suns, and what has no name."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

__all__ = ["FIGURES", "Canvas", "Generator", "Points", "box_corners"]

Points = list[tuple[float, float]]
Generator = np.random.Generator


class Canvas:
    """Shapes painted over each other; each has a number, a label and a paint.

    Args:
        width: In pixels.
        height: In pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._image = Image.new("I", (width, height), 0)
        self._draw = ImageDraw.Draw(self._image)
        self.labels: list[str] = []
        self.paints: list[int] = []

    def add(self, label: str, paint: int) -> int:
        """Register a shape and return its number."""
        self.labels.append(label)
        self.paints.append(paint)
        return len(self.labels) - 1

    def polygon(self, points: Points, number: int) -> None:
        """Fill a polygon."""
        self._draw.polygon(points, fill=number)

    def disc(self, x: float, y: float, radius: float, number: int) -> None:
        """Fill a disc."""
        self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=number)

    def line(self, points: Points, thickness: float, number: int) -> None:
        """Draw a thick line."""
        self._draw.line(points, fill=number, width=max(2, round(thickness)), joint="curve")

    def numbers(self) -> NDArray[np.int32]:
        """Return ``(height, width)`` the number of the shape on top at each pixel."""
        return np.asarray(self._image, dtype=np.int32)


def _star(c: Canvas, g: Generator, x: float, y: float, radius: float, number: int) -> None:
    points = int(g.choice([5, 5, 5, 5, 6, 7, 8, 12]))
    inner = float(g.uniform(0.36, 0.5)) if points < 8 else float(g.uniform(0.45, 0.65))
    turn = -math.pi / 2 + (0.0 if g.random() < 0.7 else float(g.uniform(0, 2 * math.pi)))
    c.polygon(_spikes(x, y, radius, inner, points, turn), number)


def _sun(c: Canvas, g: Generator, x: float, y: float, radius: float, number: int) -> None:
    points = int(g.integers(8, 33))
    if g.random() < 0.7:
        c.polygon(_spikes(x, y, radius, float(g.uniform(0.55, 0.75)), points, 0.0), number)
        return
    c.disc(x, y, radius * 0.5, number)  # rays apart from the disc, each a piece of its own
    number = c.add("other", c.paints[number])
    for index in range(points // 2):
        angle = 4 * math.pi * index / points
        tip = (x + radius * math.cos(angle), y + radius * math.sin(angle))
        sides = [
            (x + radius * 0.6 * math.cos(angle + d), y + radius * 0.6 * math.sin(angle + d))
            for d in (-0.12, 0.12)
        ]
        c.polygon([tip, *sides], number)


def _crescent(c: Canvas, g: Generator, x: float, y: float, radius: float, number: int) -> None:
    """A disc less a smaller one: the ratio and the shift of the two span what flags show."""
    ratio = float(g.uniform(0.68, 0.97))
    shift = float(g.uniform(max(1.1 - ratio, 0.1), 0.55))
    turn = 0.0 if g.random() < 0.5 else float(g.uniform(0, 2 * math.pi))
    angles = np.linspace(0, 2 * math.pi, 180, endpoint=False)
    outer = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    outer = outer[np.hypot(outer[:, 0] - shift, outer[:, 1]) >= ratio]
    order = np.argsort(np.arctan2(outer[:, 1], outer[:, 0]) % (2 * math.pi))
    inner = np.stack([shift + ratio * np.cos(angles), ratio * np.sin(angles)], axis=1)
    inner = inner[np.hypot(inner[:, 0], inner[:, 1]) <= 1]
    back = np.argsort(-(np.arctan2(inner[:, 1], inner[:, 0] - shift) % (2 * math.pi)))
    ring = np.concatenate([outer[order], inner[back]]) * radius
    c.polygon(_turned(ring.tolist(), x, y, 1.0, turn), number)


def _disc(c: Canvas, g: Generator, x: float, y: float, radius: float, number: int) -> None:
    del g
    c.disc(x, y, radius, number)


def _small_cross(c: Canvas, g: Generator, x: float, y: float, radius: float, number: int) -> None:
    arm = radius * float(g.uniform(0.2, 0.4))
    c.polygon(box_corners(x - arm, y - radius, x + arm, y + radius), number)
    c.polygon(box_corners(x - radius, y - arm, x + radius, y + arm), number)


def _triangle(c: Canvas, g: Generator, x: float, y: float, radius: float, number: int) -> None:
    turn = float(g.choice([0, math.pi / 2, math.pi, -math.pi / 2]))
    c.polygon(
        [
            (x + radius * math.cos(turn + a), y + radius * math.sin(turn + a))
            for a in (0, 2.1, -2.1)
        ],
        number,
    )


def _rectangle(c: Canvas, g: Generator, x: float, y: float, radius: float, number: int) -> None:
    half = radius * float(g.uniform(0.5, 1.4))
    c.polygon(box_corners(x - half, y - radius * 0.8, x + half, y + radius * 0.8), number)


def _shield(c: Canvas, g: Generator, x: float, y: float, radius: float, number: int) -> None:
    half, waist = radius * float(g.uniform(0.6, 0.9)), float(g.uniform(0.1, 0.4))
    c.polygon(
        [
            (x - half, y - radius),
            (x + half, y - radius),
            (x + half, y + radius * waist),
            (x + half * 0.6, y + radius * 0.7),
            (x, y + radius),
            (x - half * 0.6, y + radius * 0.7),
            (x - half, y + radius * waist),
        ],
        number,
    )


def _other(c: Canvas, g: Generator, x: float, y: float, radius: float, number: int) -> None:
    """Something without a name; among them what is bent like a crescent and is none."""
    painters = (_blot, _bent_line, _arc, _leaf, _arrowhead, _comma)
    painters[int(g.integers(len(painters)))](c, g, x, y, radius, number)


def _blot(c: Canvas, g: Generator, x: float, y: float, radius: float, number: int) -> None:
    angles = np.linspace(0, 2 * math.pi, int(g.integers(9, 30)), endpoint=False)
    reach = radius * g.uniform(0.25, 1.0, len(angles))
    corners = zip(reach, angles, strict=True)
    c.polygon([(x + r * math.cos(a), y + r * math.sin(a)) for r, a in corners], number)


def _bent_line(c: Canvas, g: Generator, x: float, y: float, radius: float, number: int) -> None:
    bends = x + radius * g.uniform(-1, 1, int(g.integers(2, 6)))
    heights = y + radius * g.uniform(-1, 1, len(bends))
    c.line(
        list(zip(bends.tolist(), heights.tolist(), strict=True)),
        radius * float(g.uniform(0.1, 0.3)),
        number,
    )


def _arc(c: Canvas, g: Generator, x: float, y: float, radius: float, number: int) -> None:
    angles = float(g.uniform(0, 6.3)) + float(g.uniform(0.6, 2.6)) * np.linspace(0, 1, 13)
    c.line(
        [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles.tolist()],
        radius * float(g.uniform(0.12, 0.3)),
        number,
    )


def _leaf(c: Canvas, g: Generator, x: float, y: float, radius: float, number: int) -> None:
    slim = float(g.uniform(0.2, 0.5))
    leaf = [(math.cos(t), slim * math.sin(t) * abs(math.sin(t))) for t in np.linspace(0, 6.28, 40)]
    c.polygon(_turned(leaf, x, y, radius, float(g.uniform(0, math.pi))), number)


def _arrowhead(c: Canvas, g: Generator, x: float, y: float, radius: float, number: int) -> None:
    """A chevron: one bay like a crescent, but straight sides."""
    depth, half = float(g.uniform(0.3, 0.9)), float(g.uniform(0.5, 1.2))
    corners = [(1.0, 0.0), (-1.0, half), (-1.0 + depth, 0.0), (-1.0, -half)]
    if g.random() < 0.5:  # of even thickness
        corners = [
            (1.0, 0.0),
            (-1.0, half),
            (-1.0 - depth, half),
            (1 - depth, 0.0),
            (-1.0 - depth, -half),
            (-1.0, -half),
        ]
    c.polygon(
        _turned(corners, x, y, radius, float(g.choice([0, math.pi / 2, math.pi, -1.57]))), number
    )


def _comma(c: Canvas, g: Generator, x: float, y: float, radius: float, number: int) -> None:
    """Half of a yin-yang: round and bent, thick at one end."""
    turn = float(g.uniform(0, 2 * math.pi))
    outer = [(math.cos(t), math.sin(t)) for t in np.linspace(0, math.pi, 30)]
    near = [(-0.5 + 0.5 * math.cos(t), 0.5 * math.sin(t)) for t in np.linspace(math.pi, 0, 20)]
    far = [(0.5 - 0.5 * math.cos(t), -0.5 * math.sin(t)) for t in np.linspace(0, math.pi, 20)]
    c.polygon(_turned([*outer, *near, *far], x, y, radius, turn), number)


def _turned(points: Points, x: float, y: float, radius: float, turn: float) -> Points:
    cos, sin = radius * math.cos(turn), radius * math.sin(turn)
    return [(x + px * cos - py * sin, y + px * sin + py * cos) for px, py in points]


def box_corners(left: float, top: float, right: float, bottom: float) -> Points:
    """Return the corners of a rectangle that ends one pixel before its right and bottom."""
    left, top = round(left), round(top)
    return [
        (left, top),
        (round(right) - 1, top),
        (round(right) - 1, round(bottom) - 1),
        (left, round(bottom) - 1),
    ]


def _spikes(x: float, y: float, radius: float, inner: float, points: int, turn: float) -> Points:
    corners = []
    for step in range(2 * points):
        reach = radius if step % 2 == 0 else radius * inner
        angle = turn + math.pi * step / points
        corners.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    return corners


FIGURES: dict[str, Callable[[Canvas, Generator, float, float, float, int], None]] = {
    "star": _star,
    "sun": _sun,
    "crescent": _crescent,
    "disc": _disc,
    "cross": _small_cross,
    "triangle": _triangle,
    "rectangle": _rectangle,
    "shield": _shield,
    "other": _other,
}


"""Painter of each kind of figure: canvas, randomness, centre x and y, radius, number."""
