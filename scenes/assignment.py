"""Which region a described shape is: weak labels of regions from a description of the whole.

A description says "a white crescent and five stars", not where they are. Each region is given to
at most one described shape so that the sum of the classifier's log probabilities and the agreement
of colours is greatest (an optimal assignment); trained and assigned in turn, as in hard EM.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from scenes.lexicon import LABELS
from scenes.model import Region
from scenes.wording import Described, Mention

__all__ = ["Assignment", "assign"]

Floats = NDArray[np.float64]

_NEAR = {
    frozenset(pair)
    for pair in (
        ("orange", "yellow"),
        ("orange", "red"),
        ("orange", "brown"),
        ("yellow", "brown"),
        ("red", "brown"),
        ("red", "pink"),
        ("red", "purple"),
        ("blue", "light blue"),
        ("blue", "purple"),
        ("blue", "black"),
        ("green", "light blue"),
        ("grey", "white"),
        ("grey", "black"),
    )
}
_MANY_COLOURED = frozenset({"emblem", "bird", "lion", "shield", "sun"})
_WRONG_COLOUR = -5.0
_NEAR_COLOUR = -0.7
_LEFT_OPEN = -5.5  # a described shape worse than this stays without a region
_LEFT_OPEN_VAGUE = -1.6  # the same for the further pieces of "stars", of which nobody says how many
_ELSEWHERE = 0.55  # the quarter of a flag in which another flag may stand


@dataclass(frozen=True, slots=True)
class Assignment:
    """Weak labels of the regions of one image.

    Attributes:
        mention: ``(regions,)`` number of the described shape, -1 for none.
        label: ``(regions,)`` number of the label in `LABELS`.
        weight: ``(regions,)`` 1 for a described region, less for one that is taken to be ``other``
            because nothing describes it, 0 where the text leaves it open.
    """

    mention: NDArray[np.int64]
    label: NDArray[np.int64]
    weight: Floats


def assign(
    described: Described, regions: tuple[Region, ...], log_probability: Floats
) -> Assignment:
    """Give regions to the shapes of a description.

    Args:
        described: What the text says.
        regions: Of the image.
        log_probability: ``(regions, len(LABELS))``, the classifier's present opinion.

    Returns:
        The best assignment; ties go to larger regions and earlier shapes.
    """
    count = len(regions)
    mention = np.full(count, -1, dtype=np.int64)
    slots = [
        (number, copy)
        for number, said in enumerate(described.mentions)
        for copy in range(min(said.count, count))
    ]
    if slots and count:
        _solve(slots, described.mentions, regions, log_probability, mention)
    return _labelled(mention, described, regions, log_probability)


def _solve(
    slots: list[tuple[int, int]],
    mentions: tuple[Mention, ...],
    regions: tuple[Region, ...],
    log_probability: Floats,
    mention: NDArray[np.int64],
) -> None:
    fit = [
        log_probability[:, LABELS.index(said.label)]
        + np.array([_agreement(said, region) for region in regions])
        for said in mentions
    ]
    gain = np.empty((len(slots), len(regions)))
    for row, (number, copy) in enumerate(slots):
        vague = mentions[number].vague and copy > 0
        gain[row] = fit[number] - (_LEFT_OPEN_VAGUE if vague else _LEFT_OPEN)
    size = np.log([max(region.area, 1) for region in regions])
    gain += 1e-3 * size[None, :]
    rows, columns = linear_sum_assignment(np.maximum(gain, 0.0), maximize=True)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if gain[row, column] > 0:
            mention[column] = slots[row][0]


def _agreement(said: Mention, region: Region) -> float:
    if not said.colours or region.colour in said.colours:
        return 0.0
    near = any(frozenset((region.colour, colour)) in _NEAR for colour in said.colours)
    penalty = _NEAR_COLOUR if near else _WRONG_COLOUR
    return penalty / 3 if said.label in _MANY_COLOURED else penalty


def _labelled(
    mention: NDArray[np.int64],
    described: Described,
    regions: tuple[Region, ...],
    log_probability: Floats,
) -> Assignment:
    other = LABELS.index("other")
    label = np.full(len(regions), other, dtype=np.int64)
    weight = np.zeros(len(regions))
    for position, region in enumerate(regions):
        number = int(mention[position])
        if number >= 0:
            label[position] = LABELS.index(described.mentions[number].label)
            weight[position] = 1.0
            continue
        likely = LABELS[int(log_probability[position].argmax())]
        if not described.usable or likely in described.unclear or _in_canton(described, region):
            continue
        weight[position] = 0.5
    return Assignment(mention, label, weight)


def _in_canton(described: Described, region: Region) -> bool:
    """Pieces of another flag in the upper left are not described one by one."""
    if "cross" not in described.unclear:
        return False
    height, width = region.mask.shape
    _, _, right, bottom = region.box_xyxy
    return bool(right <= _ELSEWHERE * width and bottom <= _ELSEWHERE * height)
