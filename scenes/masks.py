"""Masks of parts: run lengths to keep them, boxes and outlines to show them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError, LimitError
from kg.model import BoxXyxy

__all__ = [
    "MAX_MASK_PIXELS",
    "Mask",
    "box_of",
    "decode_rle",
    "encode_rle",
    "filled",
    "outline_path",
]

MAX_MASK_PIXELS = 64_000_000
"""Largest mask that is decoded, in pixels."""

Mask = NDArray[np.bool_]
"""``(height, width)``: true where the part is."""


def encode_rle(mask: Mask) -> str:
    """Return a mask as text: ``height width run run …``, row by row, the first run being false.

    Args:
        mask: ``(height, width)`` bool.

    Example:
        >>> encode_rle(np.array([[False, True], [True, True]]))
        '2 2 1 3'
    """
    height, width = mask.shape
    flat = mask.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    if flat.size and flat[0]:
        runs.insert(0, 0)
    return " ".join(map(str, [height, width, *runs]))


def decode_rle(text: str) -> Mask:
    """Read what `encode_rle` wrote.

    Raises:
        InputError: The text is no such mask, or its runs do not fill it.
        LimitError: The mask would be larger than `MAX_MASK_PIXELS`.
    """
    words = text.split()
    if len(words) < 2 or not all(word.isascii() and word.isdigit() for word in words):
        raise InputError(f"not a run-length mask: {text[:40]!r}")
    if max(map(len, words)) > 9:
        raise LimitError("a run-length mask with a number above 999,999,999")
    height, width, *runs = map(int, words)
    if height * width > MAX_MASK_PIXELS:
        raise LimitError(f"a mask of {height} x {width} pixels, at most {MAX_MASK_PIXELS}")
    if sum(runs) != height * width:
        raise InputError(f"runs of {sum(runs)} pixels in a mask of {height * width}")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(height, width)


def box_of(mask: Mask) -> BoxXyxy:
    """Return the tightest box around a mask; right and bottom lie outside.

    Raises:
        InputError: The mask is empty.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        raise InputError("an empty mask has no box")
    return (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


def filled(mask: Mask, *, box: BoxXyxy | None = None) -> Mask:
    """Return a mask with its holes filled: what cannot be reached from outside over edges.

    Args:
        mask: ``(height, width)`` bool.
        box: Around all of the mask, where it is known; it is looked for if None.

    Example:
        >>> filled(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=bool)).all()
        np.True_
    """
    if box is None:
        if not mask.any():
            return mask
        box = box_of(mask)
    left, top, right, bottom = map(int, box)
    from scenes import outline_loops as loops  # compiles, or reads what was compiled

    result = np.zeros_like(mask)
    part = np.ascontiguousarray(mask[top:bottom, left:right])
    result[top:bottom, left:right] = loops.filled(part)[1:-1, 1:-1]
    return result


def outline_path(mask: Mask) -> str:
    """Return the outline of a mask as an SVG path along pixel edges, holes included.

    Outer rings run clockwise and holes the other way, so any fill rule shows the mask.

    Example:
        >>> outline_path(np.array([[True, True]]))
        'M0 0H2V1H0Z'
    """
    return "".join(map(_ring_path, _rings(mask)))


# Directions by number: right, down, left, up; turning right is +1.
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))


def _rings(mask: Mask) -> list[list[tuple[int, int]]]:
    """Follow pixel edges with the mask on the right hand until every edge is used."""
    padded = np.pad(mask, 1)
    inner = padded[1:-1, 1:-1]
    sides = (
        (inner & ~padded[:-2, 1:-1], (0, 0)),
        (inner & ~padded[1:-1, 2:], (1, 0)),
        (inner & ~padded[2:, 1:-1], (1, 1)),
        (inner & ~padded[1:-1, :-2], (0, 1)),
    )
    edges: dict[tuple[int, int], set[int]] = {}
    for direction, (side, (right, down)) in enumerate(sides):
        for y, x in np.argwhere(side).tolist():
            edges.setdefault((x + right, y + down), set()).add(direction)
    rings = []
    for start in sorted(edges, key=lambda corner: (corner[1], corner[0])):
        while edges[start]:
            rings.append(_follow(edges, start))
    return rings


def _follow(
    edges: dict[tuple[int, int], set[int]], start: tuple[int, int]
) -> list[tuple[int, int]]:
    corners = []
    at, heading = start, min(edges[start])
    before: int | None = None
    while True:
        edges[at].remove(heading)
        if heading != before:
            corners.append(at)
        at = (at[0] + _STEPS[heading][0], at[1] + _STEPS[heading][1])
        before = heading
        choices = edges[at]
        if not choices:
            return corners
        # where two rings touch at a corner, turning right stays with the same pixel
        heading = next(h for h in ((before + 1) % 4, before, (before - 1) % 4) if h in choices)


def _ring_path(corners: list[tuple[int, int]]) -> str:
    x, y = corners[0]
    parts = [f"M{x} {y}"]
    for next_x, next_y in corners[1:]:
        parts.append(f"H{next_x}" if next_y == y else f"V{next_y}")
        x, y = next_x, next_y
    return "".join(parts) + "Z"
