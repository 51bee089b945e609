"""Where things stand in a picture, as blocks of a grid and in words; and a picture as sentences.

Position-guided Text Prompt (Wang et al. 2023, arXiv 2212.09737) cuts a picture in 3 × 3 blocks and
says which block holds which thing. Nothing is trained here: the sentences of a picture can be
encoded like any text, and the same grid and words ground phrases (`scenes.grounding`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kg.errors import InputError
from scenes.model import Region

__all__ = ["GRID", "PLACES", "Axis", "block_of", "cells_of", "describe"]

Axis = Literal["x", "y"]
"""Left to right, or top to bottom."""

GRID = 3
"""Blocks a side."""

PLACES: Mapping[str, tuple[Axis, float]] = {
    "left": ("x", 0.0),
    "hoist": ("x", 0.0),
    "right": ("x", 1.0),
    "fly": ("x", 1.0),
    "top": ("y", 0.0),
    "upper": ("y", 0.0),
    "bottom": ("y", 1.0),
    "lower": ("y", 1.0),
}
"""Words of place, each with its axis and how far along it the place lies."""

_ACROSS, _DOWN = ("left", "center", "right"), ("upper", "center", "lower")
_NAMELESS = (None, "other")


def cells_of(boxes_xyxy: ArrayLike, size: tuple[int, int], grid: int = GRID) -> NDArray[np.int64]:
    """Return the column and the row of the centre of each box.

    Args:
        boxes_xyxy: ``(boxes, 4)`` in pixels.
        size: Width and height of the picture, in pixels.
        grid: Blocks a side.

    Returns:
        ``(boxes, 2)``, each in ``0 … grid - 1``; a centre outside counts to the nearest block.

    Raises:
        InputError: The boxes have another shape, or size or grid is not positive.
    """
    boxes = np.asarray(boxes_xyxy, dtype=np.float64)
    if not boxes.size:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise InputError(f"boxes of shape {boxes.shape}, not (boxes, 4)", where="boxes_xyxy")
    if min(size) < 1 or grid < 1:
        raise InputError(f"a grid of {grid} over {size[0]} x {size[1]} pixels", where="size, grid")
    twice = boxes[:, :2] + boxes[:, 2:]
    cells: NDArray[np.int64] = np.floor(grid * twice / (2 * np.array(size))).astype(np.int64)
    return np.clip(cells, 0, grid - 1)


def block_of(boxes_xyxy: ArrayLike, size: tuple[int, int], grid: int = GRID) -> NDArray[np.int64]:
    """Return the number of the block that holds the centre of each box, row by row from 0.

    Args:
        boxes_xyxy: ``(boxes, 4)`` in pixels.
        size: Width and height of the picture, in pixels.
        grid: Blocks a side.

    Raises:
        InputError: As of `cells_of`.

    Example:
        >>> block_of([(0, 0, 30, 20), (40, 50, 50, 60)], (90, 60)).tolist()
        [0, 7]
    """
    columns, rows = cells_of(boxes_xyxy, size, grid).T
    found: NDArray[np.int64] = rows * grid + columns
    return found


def describe(
    regions: Sequence[Region], grid: int = GRID, words: bool = True, *, blocks: bool = True
) -> list[str]:
    """Return a sentence for each region: what it is, its colour, and the block that holds it.

    Args:
        regions: Of one picture, labelled or not.
        grid: Blocks a side; words name those of a grid of 3.
        words: Whether blocks are named by words, else by number as in the paper.
        blocks: Whether the block is said at all.

    Raises:
        InputError: Words are asked for of another grid than one of 3.

    Example:
        >>> import numpy as np
        >>> mask = np.zeros((60, 90), dtype=bool)
        >>> mask[5:15, 5:15] = True
        >>> look = {"colour": "white", "rgb": (255, 255, 255), "label": "star"}
        >>> star = Region(box_xyxy=(5, 5, 15, 15), mask=mask, **look)
        >>> describe([star]), describe([star], words=False), describe([star], blocks=False)
        (['upper left has a white star'], ['the block 0 has a white star'], ['a white star'])
    """
    if blocks and words and grid != GRID:
        raise InputError(f"words name the blocks of a grid of {GRID}, not of {grid}", where="grid")
    things = [_thing(region) for region in regions]
    if not blocks or not regions:
        return things
    height, width = regions[0].mask.shape
    cells = cells_of([region.box_xyxy for region in regions], (width, height), grid)
    return [
        f"{_place(column, row) if words else f'the block {row * grid + column}'} has {thing}"
        for (column, row), thing in zip(cells.tolist(), things, strict=True)
    ]


def _thing(region: Region) -> str:
    noun = "part" if region.label in _NAMELESS else region.label
    article = "an" if region.colour.startswith(tuple("aeiou")) else "a"
    return f"{article} {region.colour} {noun}"


def _place(column: int, row: int) -> str:
    words = dict.fromkeys([_DOWN[row], _ACROSS[column]])  # the middle block is one "center"
    return " ".join(words)
