"""How well each candidate agrees with each part of a phrase: one column of numbers a part.

A term is 0 where the phrase says nothing, and falls below 0 as a candidate agrees less; what the
terms weigh against each other is learnt (`scenes.grounding.training`). Place is told twice, as the
distance from where the words point and in blocks of a 3 × 3 grid (Position-guided Text Prompt,
Wang et al. 2023); `number` and `on` match the phrase level by level, a part, a group of parts, a
part on another (HiVG, Xiao et al. 2024), over regions instead of the layers of an encoder.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scenes.colours import colour_name, lab_of
from scenes.grounding.candidates import Candidate
from scenes.grounding.phrases import Order, Phrase
from scenes.lexicon import LABELS
from scenes.position_prompts import GRID, cells_of

__all__ = ["TERMS", "terms_of"]

Floats = NDArray[np.float64]

TERMS = (
    "label",
    "colour",
    "place",
    "block",
    "size",
    "direction",
    "order",
    "number",
    "on",
    "prior",
)
"""Names of the columns of `terms_of`; ``prior`` is the log of the area."""

_LEAST = 1e-3  # no classifier over so few examples may say less
_FAR = 4.0  # how far a colour, or a place in an order, counts at most
_PAINTS = {
    "black": (0, 0, 0),
    "blue": (0, 56, 168),
    "brown": (120, 70, 30),
    "green": (0, 122, 61),
    "grey": (128, 128, 128),
    "light blue": (117, 178, 221),
    "orange": (255, 136, 20),
    "pink": (240, 150, 170),
    "purple": (110, 40, 120),
    "red": (206, 17, 38),
    "white": (255, 255, 255),
    "yellow": (252, 209, 22),
}


def terms_of(
    phrase: Phrase,
    candidates: Sequence[Candidate],
    opinion: Floats,
    *,
    size: tuple[int, int],
    anchors: Floats | None = None,
) -> Floats:
    """Return ``(candidates, len(TERMS))``.

    Args:
        phrase: What is said.
        candidates: What could be meant.
        opinion: ``(candidates, labels)``.
        size: Width and height of the image.
        anchors: ``(candidates,)`` probability of each of being what `phrase.on` means.
    """
    boxes = np.array([candidate.box_xyxy for candidate in candidates])
    areas = np.array([candidate.area for candidate in candidates]) / (size[0] * size[1])
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 / np.array(size)
    sides = boxes[:, 2:] - boxes[:, :2]
    zero = np.zeros(len(candidates))
    label = zero
    if phrase.label is not None:
        label = np.log(np.maximum(opinion[:, LABELS.index(phrase.label)], _LEAST))
    colour = np.array([_colour(phrase.colours, candidate) for candidate in candidates])
    place, block = zero.copy(), zero.copy()
    cells = cells_of(boxes, size)
    for axis, wanted in phrase.places:
        along = "xy".index(axis)
        off = np.abs(centres[:, along] - wanted)
        place -= np.maximum(off - 1 / (2 * GRID), 0) * GRID
        block -= np.abs(cells[:, along] - round(wanted * (GRID - 1)))
    group = np.array([len(candidate.members) > 1 and not candidate.cut for candidate in candidates])
    piece = np.array([candidate.piece for candidate in candidates])
    like = label + colour if phrase.order is not None else zero
    return np.stack(
        [
            label,
            colour,
            place,
            block,
            phrase.size * np.log(areas),
            phrase.direction * np.clip(np.log(sides[:, 0] / sides[:, 1]), -2, 2),
            _order(phrase.order, centres, like, group),
            -((group != phrase.plural) | piece).astype(np.float64),
            zero if anchors is None else _on(boxes, anchors),
            np.log(areas),
        ],
        axis=1,
    )


def _colour(names: tuple[str, ...], candidate: Candidate) -> float:
    """0 for a colour of that name, else minus the distance in Lab, in units of 25."""
    if not names or colour_name(candidate.rgb) in names:
        return 0.0
    paints = np.array([candidate.rgb, *(_PAINTS[name] for name in names)], dtype=np.uint8)
    lab = lab_of(paints)
    nearest = float(np.linalg.norm(lab[1:] - lab[0], axis=1).min())
    return -min(nearest / 25, _FAR)


def _order(order: Order | None, centres: Floats, like: Floats, group: NDArray[np.bool_]) -> Floats:
    """Minus how many places a candidate stands from the place asked for, among its like."""
    if order is None:
        return np.zeros(len(centres))
    result = np.full(len(centres), -_FAR)
    alike = np.flatnonzero(~group & (like > math.log(0.2)))
    along = alike[np.argsort(centres[alike, "xy".index(order.axis)], kind="stable")]
    if order.rank < 0:
        along = along[::-1]
    places = np.abs(np.arange(len(along)) - (abs(order.rank) - 1))
    result[along] = -np.minimum(places, _FAR)
    return result


def _on(boxes: Floats, anchors: Floats) -> Floats:
    """Log probability that a candidate lies in the box of what it is said to lie on."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=-1)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1)
    inside = common / area[:, None]
    inside *= area[None, :] > area[:, None]  # nothing lies on itself or on a smaller thing
    result: Floats = np.log(np.maximum(inside @ anchors, _LEAST))
    return result
