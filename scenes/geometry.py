"""How two parts of one image lie to each other: exact relations, and measures for models.

Convention (x grows to the right, y downwards; A is the subject, B the object; shares are of
pixels):

- ``inside``: A lies in B's mask with its holes filled, wholly but for 5 % of its pixels, and is
  smaller than B. So a star on a disc is inside the disc, though it is a hole in it.
- ``surrounds``: B is inside A, and A has pixels on all four sides of B's box centre; the
  inverse of ``inside``, told only where both parts touch or nothing lies between.
- ``overlaps``: the boxes share more than 10 % of the smaller box, neither part is inside the
  other, and the filled masks share a pixel or touch.

- ``left_of`` and ``above``, on demand (`exact_relations` with `sides`): A's box ends before B's
  begins, but for a quarter of the narrower one, and the two share at least half of the lower
  one's rows (columns for ``above``). What lies aslant has neither; the inverse is not told.

Scene models do not ask for sides: descriptions use ``left_of``, ``above`` and ``below`` for a few
of the pairs to which they apply, so `scenes.predicates` learns when from measures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kg.model import BoxXyxy
from scenes.masks import filled
from scenes.model import Region, Relation

__all__ = [
    "PAIR_MEASURES",
    "box_iou",
    "box_overlap",
    "contradicts",
    "exact_relations",
    "pair_measures",
]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
ExactPredicate = Literal["inside", "surrounds", "overlaps", "left_of", "above"]
"""What geometry alone decides."""

_INSIDE = 0.95
_OVERLAP = 0.1
_SLACK, _SHARED = 0.25, 0.5
"""Of things side by side: how far they may reach into each other, and what they share across."""


def box_overlap(first: BoxXyxy, second: BoxXyxy) -> float:
    """Return the area that two boxes share, in square pixels."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(width, 0.0) * max(height, 0.0)


def box_iou(first: BoxXyxy, second: BoxXyxy) -> float:
    """Return intersection over union of two boxes, in [0, 1].

    Example:
        >>> box_iou((0, 0, 2, 2), (1, 0, 3, 2))
        0.3333333333333333
    """
    shared = box_overlap(first, second)
    union = _area(first) + _area(second) - shared
    return shared / union if union > 0 else 0.0


def contradicts(predicate: str, subject: BoxXyxy, other: BoxXyxy) -> bool:
    """Tell whether a predicate cannot be true of two boxes, whatever a model thinks.

    ``left_of``, ``above`` and ``below`` ask for the centres to lie so; ``centred_on`` for the
    subject's centre to lie in the object's box; ``charged_with`` for the object's centre to lie
    in the subject's box. Other predicates are never contradicted.

    Example:
        >>> contradicts("left_of", (5, 0, 6, 1), (0, 0, 1, 1))
        True
    """
    x, y = (subject[0] + subject[2]) / 2, (subject[1] + subject[3]) / 2
    other_x, other_y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    if predicate == "left_of":
        return x >= other_x
    if predicate in ("above", "below"):
        return y >= other_y if predicate == "above" else y <= other_y
    if predicate == "centred_on":
        return not (other[0] <= x <= other[2] and other[1] <= y <= other[3])
    if predicate == "charged_with":
        return not (subject[0] <= other_x <= subject[2] and subject[1] <= other_y <= subject[3])
    return False


def _area(box: BoxXyxy) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


@dataclass(frozen=True, slots=True)
class _Shape:
    region: Region
    whole: Mask
    area: int
    whole_area: int


def exact_relations(
    regions: tuple[Region, ...],
    *,
    most: int = 200,
    parts: tuple[int, ...] | None = None,
    sides: bool = False,
) -> tuple[Relation, ...]:
    """Return what geometry says about the parts of one image.

    Args:
        regions: All parts; their masks have one shape.
        most: Largest number of relations, larger subjects first.
        parts: Positions of the parts that are compared; None for all.
        sides: Whether ``left_of`` and ``above`` are told, too, after the others.

    Returns:
        Relations with probability 1, by subject and object. ``inside`` names the smallest
        part around the subject only: a star on a disc on a flag is inside the disc.

    Example:
        >>> from scenes.regions import segment
        >>> picture = np.zeros((40, 60, 3), dtype=np.uint8)
        >>> picture[10:30, 20:40] = 255
        >>> [(r.subject, r.predicate, r.object) for r in exact_relations(segment(picture))]
        [(0, 'surrounds', 1), (1, 'inside', 0)]
    """
    positions = tuple(range(len(regions))) if parts is None else tuple(sorted(set(parts)))
    shapes = {}
    for position in positions:
        region = regions[position]
        whole = filled(region.mask, box=region.box_xyxy)
        shapes[position] = _Shape(region, whole, region.area, int(np.count_nonzero(whole)))
    around: dict[int, int] = {}
    for position, shape in shapes.items():
        outer = [
            other
            for other, candidate in shapes.items()
            if other != position and _is_inside(shape, candidate)
        ]
        if outer:
            around[position] = min(outer, key=lambda other: (shapes[other].whole_area, other))
    found = []
    for inner, outer_part in around.items():
        found.append((inner, "inside", outer_part))
        found.append((outer_part, "surrounds", inner))
    for first in positions:
        for second in positions:
            if first < second and _overlap(shapes[first], shapes[second]):
                found.append((first, "overlaps", second))
                found.append((second, "overlaps", first))
    found.sort()
    if sides:
        found += _sides(regions, positions)
    return tuple(
        Relation(subject=s, predicate=p, object=o, probability=1.0, exact=True)
        for s, p, o in found[:most]
    )


def _sides(
    regions: tuple[Region, ...], positions: tuple[int, ...]
) -> list[tuple[int, ExactPredicate, int]]:
    names: tuple[tuple[ExactPredicate, int], ...] = (("left_of", 0), ("above", 1))
    return [
        (first, name, second)
        for first in positions
        for second in positions
        for name, axis in names
        if first != second and _before(regions[first].box_xyxy, regions[second].box_xyxy, axis)
    ]


def _before(first: BoxXyxy, second: BoxXyxy, axis: int) -> bool:
    """Whether a box ends before another begins along an axis, and both share the other axis."""
    across = 1 - axis
    slack = _SLACK * min(box[axis + 2] - box[axis] for box in (first, second))
    low, high = max(first[across], second[across]), min(first[across + 2], second[across + 2])
    least = _SHARED * min(box[across + 2] - box[across] for box in (first, second))
    return first[axis + 2] <= second[axis] + slack and high - low >= max(least, 1e-9)


def _is_inside(inner: _Shape, outer: _Shape) -> bool:
    if inner.whole_area >= outer.whole_area or not box_overlap(
        inner.region.box_xyxy, outer.region.box_xyxy
    ):
        return False
    part = _place(inner.region.box_xyxy)
    shared = np.count_nonzero(inner.region.mask[part] & outer.whole[part])
    return int(shared) >= _INSIDE * inner.area


def _place(box: BoxXyxy) -> tuple[slice, slice]:
    """Return the rows and columns of a box."""
    left, top, right, bottom = map(int, box)
    return np.s_[top:bottom, left:right]


def _overlap(first: _Shape, second: _Shape) -> bool:
    boxes = first.region.box_xyxy, second.region.box_xyxy
    if box_overlap(*boxes) <= _OVERLAP * min(_area(boxes[0]), _area(boxes[1])):
        return False
    if _is_inside(first, second) or _is_inside(second, first):
        return False
    part = _place(boxes[0])
    shared = int(np.count_nonzero(first.whole[part] & second.whole[part]))
    return shared > 0.02 * min(first.whole_area, second.whole_area)


PAIR_MEASURES = (
    "dx",
    "dy",
    "gap_x",
    "gap_y",
    "log_size_ratio",
    "iou",
    "subject_in_object",
    "object_in_subject",
    "distance",
    "centre_off_x",
    "centre_off_y",
    "corner",
    "touching",
    "left_of",
    "above",
    "below",
    "subject_width",
    "subject_height",
    "object_width",
    "object_height",
)
"""Names of the columns of `pair_measures`."""


def pair_measures(subjects: Floats, others: Floats, *, width: int, height: int) -> Floats:
    """Return the geometry of pairs of boxes, sizes taken relative to the image.

    Args:
        subjects: ``(n, 4)`` boxes of the subjects, as `BoxXyxy`.
        others: ``(n, 4)`` boxes of the objects.
        width: Of the image, in pixels.
        height: Of the image, in pixels.

    Returns:
        ``(n, len(PAIR_MEASURES))``.
    """
    scale = np.array([width, height, width, height], dtype=np.float64)
    a, b = subjects / scale, others / scale
    size_a, size_b = (np.maximum(box[:, 2:] - box[:, :2], 1e-6) for box in (a, b))
    centre_a, centre_b = (a[:, :2] + a[:, 2:]) / 2, (b[:, :2] + b[:, 2:]) / 2
    offset = centre_a - centre_b
    gap = np.maximum(np.maximum(a[:, :2] - b[:, 2:], b[:, :2] - a[:, 2:]), 0.0)
    shared = np.maximum(
        np.minimum(subjects[:, 2:], others[:, 2:]) - np.maximum(subjects[:, :2], others[:, :2]), 0.0
    ).prod(axis=1)
    area_a, area_b = (
        np.maximum(box[:, 2:] - box[:, :2], 0.0).prod(axis=1) for box in (subjects, others)
    )
    union = area_a + area_b - shared
    off = np.abs(offset) / size_b
    ends = np.minimum(np.abs(a[:, :2] - b[:, :2]), np.abs(a[:, 2:] - b[:, 2:])) / size_b
    least = 0.25 * np.minimum(size_a, size_b)  # by which things side by side may overlap
    return np.column_stack(
        [
            offset,
            gap,
            np.log(size_a.prod(axis=1) / size_b.prod(axis=1)),
            np.divide(shared, union, out=np.zeros(len(a)), where=union > 0),
            shared / np.maximum(area_a, 1e-6),
            shared / np.maximum(area_b, 1e-6),
            np.hypot(*offset.T),
            np.minimum(off, 2.0),
            np.minimum(off.min(axis=1), 2.0) * (ends.max(axis=1) < 0.35),
            gap.max(axis=1) < 0.01,
            a[:, 2] <= b[:, 0] + least[:, 0],
            a[:, 3] <= b[:, 1] + least[:, 1],
            b[:, 3] <= a[:, 1] + least[:, 1],
            size_a,
            size_b,
        ]
    )
