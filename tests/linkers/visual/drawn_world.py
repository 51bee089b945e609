"""Things drawn by two hands: a shape in a place and a colour; the second hand shifts and tints."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

_COLOURS = {"red": (220, 40, 40), "green": (40, 170, 60), "blue": (40, 70, 210)}
_SHAPES = ("bar", "block", "slope", "cross")
_PLACES = ("top", "middle", "bottom")


def things() -> list[dict[str, Any]]:
    """36 things: each a shape, a colour, and a place; the split by number."""
    rows = []
    for number, (shape, colour, place) in enumerate(itertools.product(_SHAPES, _COLOURS, _PLACES)):
        rows.append(
            {
                "entity_id": f"t{number:02d}",
                "name": f"{place} {shape}",
                "annotation": f"{colour} {shape}",
                "tags": [colour, place, shape],
                "split": ("train", "train", "test", "train", "valid")[number * 7 % 5],
                "mention_keyword": (colour, place)[number % 2],
            }
        )
    return rows


def drawn(hand: str) -> NDArray[np.uint8]:
    """Return ``(36, 32, 32, 3)`` pictures by `first` or `second` hand."""
    found = []
    for shape, colour, place in itertools.product(_SHAPES, _COLOURS, _PLACES):
        page = np.full((32, 32, 3), 255, dtype=np.uint8)
        tint = np.array(_COLOURS[colour])
        row, column = 2 + 9 * _PLACES.index(place), 6
        if hand == "second":
            row, column, tint = row + 1, column + 3, np.minimum(tint + 35, 255)
        height = {"bar": 3, "block": 9, "slope": 9, "cross": 9}[shape]
        for y in range(height):
            for x in range(14):
                inked = {
                    "bar": True,
                    "block": True,
                    "slope": x <= 1.5 * y,
                    "cross": abs(x - 7) < 2 or abs(y - 4) < 2,
                }[shape]
                if inked:
                    page[row + y, column + x] = tint
        found.append(page)
    return np.stack(found)
