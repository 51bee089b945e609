"""Small flags drawn for the tests: what is on them is known."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

RED, WHITE, BLUE, GREEN, YELLOW, BLACK = (
    (206, 17, 38),
    (255, 255, 255),
    (0, 56, 168),
    (0, 122, 61),
    (252, 209, 22),
    (0, 0, 0),
)
SIZE = (240, 160)
Rgb = tuple[int, int, int]


class Flag:
    """A drawing four times as large, shrunk at the end so that edges are blurred."""

    def __init__(self, ground: Rgb, size: tuple[int, int] = SIZE, scale: int = 4) -> None:
        self.size, self.scale = size, scale
        self.image = Image.new("RGB", (size[0] * scale, size[1] * scale), ground)
        self.draw = ImageDraw.Draw(self.image)

    def rectangle(self, box: tuple[float, float, float, float], colour: Rgb) -> Flag:
        left, top, right, bottom = (v * self.scale for v in box)
        self.draw.rectangle((left, top, right - 1, bottom - 1), fill=colour)
        return self

    def polygon(self, points: list[tuple[float, float]], colour: Rgb) -> Flag:
        self.draw.polygon([(x * self.scale, y * self.scale) for x, y in points], fill=colour)
        return self

    def disc(self, x: float, y: float, radius: float, colour: Rgb) -> Flag:
        box = (x - radius, y - radius, x + radius, y + radius)
        self.draw.ellipse([v * self.scale for v in box], fill=colour)
        return self

    def crescent(self, x: float, y: float, radius: float, colour: Rgb, ground: Rgb) -> Flag:
        self.disc(x, y, radius, colour)
        return self.disc(x + radius * 0.3, y, radius * 0.8, ground)

    def star(self, x: float, y: float, radius: float, colour: Rgb, points: int = 5) -> Flag:
        corners = []
        for step in range(2 * points):
            reach = radius if step % 2 == 0 else radius * 0.42
            angle = math.pi * step / points - math.pi / 2
            corners.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
        return self.polygon(corners, colour)

    def pixels(self) -> NDArray[np.uint8]:
        return np.asarray(self.image.resize(self.size, Image.Resampling.LANCZOS))


def bands(*colours: Rgb, vertical: bool = False) -> Flag:
    flag = Flag(colours[0])
    width, height = flag.size
    for number, colour in enumerate(colours):
        low, high = number / len(colours), (number + 1) / len(colours)
        box = (
            (low * width, 0, high * width, height)
            if vertical
            else (0, low * height, width, high * height)
        )
        flag.rectangle(box, colour)
    return flag


def crescent_and_star() -> NDArray[np.uint8]:
    return Flag(RED).crescent(95, 80, 40, WHITE, RED).star(150, 80, 18, WHITE).pixels()
