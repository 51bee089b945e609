"""What a phrase could mean: single regions, and regions of one colour taken together.

Two levels, from fine to coarse: a part; and the parts of one paint that a figure on top has cut
into pieces, or that stand together as many of a kind ("the white stars").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kg.model import BoxXyxy
from scenes.colours import lab_of
from scenes.lexicon import LABELS
from scenes.model import Region

__all__ = ["Candidate", "candidates_of", "mean_opinion"]

Floats = NDArray[np.float64]

_SAME_PAINT = 12.0  # distance in Lab
_MOST_JOINED = 40
_SLACK = 0.03  # of the side, by which the ends of a cut band may differ
_ALIKE = 0.4  # what the labels of two regions must have in common
_CAN_BE_CUT = [LABELS.index(name) for name in ("band", "field", "rectangle")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One or several regions that a phrase could mean.

    Attributes:
        members: Positions of the regions.
        box_xyxy: Around all of them.
        area: Pixels of all of them.
        rgb: Colour of the largest.
        cut: Whether it is one band, cut into several regions by what lies on it.
        piece: Whether it is one region of such a band.
    """

    members: tuple[int, ...]
    box_xyxy: BoxXyxy
    area: int
    rgb: tuple[int, int, int]
    cut: bool = False
    piece: bool = False


def candidates_of(regions: Sequence[Region], opinion: Floats) -> list[Candidate]:
    """Return every region, then regions of one paint and like labels taken together.

    Args:
        regions: Of the image.
        opinion: ``(regions, labels)``, the label model's.
    """
    areas = [region.area for region in regions]
    found = [_joined(regions, areas, (position,)) for position in range(len(regions))]
    if len(regions) < 2:
        return found
    lab = lab_of(np.array([region.rgb for region in regions], dtype=np.uint8))
    flat = opinion[:, _CAN_BE_CUT].sum(axis=1)
    seen: set[tuple[int, ...]] = set()
    for position in range(len(regions)):
        overlap = np.minimum(opinion, opinion[position]).sum(axis=1)
        alike = (np.linalg.norm(lab - lab[position], axis=1) < _SAME_PAINT) & (overlap > _ALIKE)
        members = tuple(np.flatnonzero(alike).tolist())
        if len(members) > 1 and members not in seen and len(seen) < _MOST_JOINED:
            seen.add(members)
            found.append(_joined(regions, areas, members))
            if flat[list(members)].mean() > 0.5 and _in_one_line(regions, members):
                found[-1] = replace(found[-1], cut=True)
                for member in members:
                    found[member] = replace(found[member], piece=True)
    return found


def _in_one_line(regions: Sequence[Region], members: tuple[int, ...]) -> bool:
    """Whether regions have the same two ends in height, or in width."""
    boxes = np.array([regions[m].box_xyxy for m in members])
    height, width = regions[0].mask.shape
    spread = np.ptp(boxes, axis=0) / np.array([width, height, width, height])
    return bool(max(spread[1], spread[3]) < _SLACK or max(spread[0], spread[2]) < _SLACK)


def _joined(regions: Sequence[Region], areas: Sequence[int], members: tuple[int, ...]) -> Candidate:
    boxes = np.array([regions[m].box_xyxy for m in members])
    left, top = boxes[:, :2].min(axis=0).tolist()
    right, bottom = boxes[:, 2:].max(axis=0).tolist()
    largest = max(members, key=lambda m: areas[m])
    return Candidate(
        members=members,
        box_xyxy=(left, top, right, bottom),
        area=sum(areas[m] for m in members),
        rgb=regions[largest].rgb,
    )


def mean_opinion(candidates: Sequence[Candidate], opinion: Floats) -> Floats:
    """Return ``(candidates, labels)``: the mean over the regions of each."""
    return np.array([opinion[list(candidate.members)].mean(axis=0) for candidate in candidates])
