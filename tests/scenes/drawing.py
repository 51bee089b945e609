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


NAMES = {RED: "red", WHITE: "white", BLUE: "blue", GREEN: "green", YELLOW: "yellow", BLACK: "black"}


def described_flags(count: int, seed: int) -> tuple[dict[str, NDArray[np.uint8]], dict[str, str]]:
    """Flags of five plans with a sentence each, in the English of the flag descriptions."""
    generator = np.random.default_rng(seed)
    paints = list(NAMES)
    images, texts = {}, {}
    for number in range(count):
        one, two, three = (paints[i] for i in generator.permutation(len(paints))[:3])
        a, b, c = NAMES[one], NAMES[two], NAMES[three]
        x, y = float(generator.integers(80, 160)), float(generator.integers(60, 100))
        radius = float(generator.integers(18, 38))
        plan = number % 5
        if plan == 0:
            flag = Flag(one).crescent(x, y, radius, two, one)
            flag.star(x + radius * 1.1, y, radius * 0.4, two)
            text = f"{a} with a {b} crescent and star in the center"
        elif plan == 1:
            flag = bands(one, two, three)
            text = f"three equal horizontal bands of {a} (top), {b}, and {c}"
        elif plan == 2:
            flag = Flag(one).disc(x, y, radius, two).star(x, y, radius * 0.6, three)
            text = f"{a} with a {b} disk in the center that has a {c} star"
        elif plan == 3:
            flag = bands(one, two, three, vertical=True)
            text = f"three equal vertical bands of {a} (left side), {b}, and {c}"
        else:
            flag = bands(one, two).polygon([(0, 0), (90, 80), (0, 160)], three)
            text = (
                f"two equal horizontal bands of {a} (top) and {b}, with a {c} isosceles triangle "
                "based on the left side"
            )
        images[f"{number:03d}"], texts[f"{number:03d}"] = flag.pixels(), text
    return images, texts
