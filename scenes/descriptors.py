"""What the shape, place and colour of a region are, as numbers that a small classifier reads."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scenes import piece_loops
from scenes.colours import lab_of
from scenes.model import Region
from scenes.outlines import SHAPE_DESCRIPTORS, shape_numbers

__all__ = ["DESCRIPTORS", "describe_regions"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

DESCRIPTORS = (
    *SHAPE_DESCRIPTORS,
    "log_area",
    "log_width",
    "log_height",
    "log_aspect",
    "centre_x",
    "centre_y",
    "off_x",
    "off_y",
    "touches_left",
    "touches_top",
    "touches_right",
    "touches_bottom",
    "spans_width",
    "spans_height",
    "on_border",
    "lightness",
    "a",
    "b",
    "is_emblem",
    "is_other",
    "log_pieces",
    "rank",
    "log_regions",
    "alike",
    "neighbours",
    "beside_largest",
    "largest_neighbour",
    "contrast",
    "enclosed",
)
"""Names of the columns of `describe_regions`."""


def describe_regions(regions: Sequence[Region]) -> Floats:
    """Describe the regions of one image.

    Args:
        regions: All of them, largest first; their masks have one shape.

    Returns:
        ``(regions, len(DESCRIPTORS))``.

    Example:
        >>> from scenes.regions import segment
        >>> describe_regions(segment(np.zeros((20, 30, 3), dtype=np.uint8))).shape[0]
        1
    """
    if not regions:
        return np.empty((0, len(DESCRIPTORS)))
    shapes = shape_numbers([_cropped(region) for region in regions])
    areas = np.array([region.area for region in regions], dtype=np.float64)
    lab = lab_of(np.array([region.rgb for region in regions], dtype=np.uint8))
    beside = _shared_border(regions)
    rows = []
    for rank, region in enumerate(regions):
        near = np.abs(np.log(areas / areas[rank])) < 0.25
        alike = near & (np.linalg.norm(lab - lab[rank], axis=1) < 8)
        rows.append(
            [
                *_place(region),
                *(lab[rank] / 100),
                float(region.kind == "emblem"),
                float(region.kind == "other"),
                math.log(region.pieces),
                rank / 10,
                math.log(len(regions)),
                math.log(np.count_nonzero(alike)),
                *_surroundings(rank, beside, areas, lab, shapes[rank]),
            ]
        )
    return np.concatenate([shapes, np.array(rows)], axis=1)


def _shared_border(regions: Sequence[Region]) -> Floats:
    """``(regions, regions)`` pixel edges that two regions share."""
    number = np.full(regions[0].mask.shape, -1, dtype=np.int32)
    for position, region in enumerate(regions):
        box = tuple(map(int, region.box_xyxy))
        piece_loops.mark(number, np.ascontiguousarray(region.mask), box, position)
    shared: Floats = piece_loops.shared_edges(number, len(regions))
    return shared


def _surroundings(
    rank: int, beside: Floats, areas: Floats, lab: Floats, shape: Floats
) -> list[float]:
    """How many regions lie beside one, and how the longest border's neighbour compares."""
    row = beside[rank]
    total = float(row.sum())
    if total == 0:
        return [0.0] * 5
    nearest = int(row.argmax())
    share = float(row[nearest]) / total
    shape_of = dict(zip(SHAPE_DESCRIPTORS, shape.tolist(), strict=True))
    return [
        math.log1p(np.count_nonzero(row)),
        share,
        math.log(float(areas[nearest] / areas[rank])) / 3,
        float(np.linalg.norm(lab[nearest] - lab[rank])) / 100,
        float(share > 0.95 and shape_of["hole_share"] < 0.05),
    ]


def _cropped(region: Region) -> Mask:
    left, top, right, bottom = (int(value) for value in region.box_xyxy)
    return region.mask[top:bottom, left:right]


def _place(region: Region) -> list[float]:
    height, width = region.mask.shape
    left, top, right, bottom = region.box_xyxy
    slack = 0.02
    border = np.concatenate(
        [region.mask[0], region.mask[-1], region.mask[:, 0], region.mask[:, -1]]
    )
    centre_x, centre_y = (left + right) / 2 / width, (top + bottom) / 2 / height
    return [
        math.log(region.area / (width * height)),
        math.log((right - left) / width),
        math.log((bottom - top) / height),
        math.log((right - left) / (bottom - top)),
        centre_x,
        centre_y,
        abs(centre_x - 0.5),
        abs(centre_y - 0.5),
        float(left / width < slack),
        float(top / height < slack),
        float(right / width > 1 - slack),
        float(bottom / height > 1 - slack),
        float((right - left) / width > 1 - 2 * slack),
        float((bottom - top) / height > 1 - 2 * slack),
        float(border.mean()),
    ]
