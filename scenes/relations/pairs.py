"""All ordered pairs of the objects of images, with the geometry of their boxes, as arrays.

An image gives its pairs in the order of `ordered_pairs`: by subject, then by object. No object is
paired with itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from scenes.relations.annotations import AnnotatedImage

__all__ = [
    "GEOMETRY",
    "PairTable",
    "box_geometry",
    "longer_side",
    "ordered_pairs",
    "pair_table",
]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

GEOMETRY = (
    "dx", "dy", "dx_by_subject", "dy_by_subject", "dx_by_object", "dy_by_object", "gap_x", "gap_y",
    "log_width_ratio", "log_height_ratio", "log_area_ratio", "iou", "subject_in_object",
    "object_in_subject", "distance", "log_area_subject", "log_area_object", "log_aspect_subject",
    "log_aspect_object", "bottom_offset", "top_offset", "x_subject", "y_subject", "x_object",
    "y_object", "union_share",
)  # fmt: skip
"""Names of the columns of `box_geometry`."""

MAX_BYTES = 2 * 2**30
"""Limit on one table of pairs."""

_LEAST = 1e-3  # of the image's longer side: a box of no width has this one
_MOST = 8.0  # where a ratio says nothing more


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairTable:
    """The ordered pairs of several images, one after the other.

    Attributes:
        starts: ``(images + 1,)`` row where each image's pairs start, and the number of rows.
        objects: ``(rows, 2)`` positions of subject and object within their image.
        labels: ``(rows, 2)`` numbers of their classes.
        geometry: ``(rows, len(GEOMETRY))``.
        said: ``(rows, predicates)`` bool, which predicates are annotated.
    """

    starts: Integers
    objects: Integers
    labels: Integers
    geometry: Floats
    said: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.objects)

    @property
    def image(self) -> Integers:
        """``(rows,)`` number of each pair's image."""
        numbers: Integers = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        return numbers

    @property
    def annotated(self) -> NDArray[np.bool_]:
        """``(rows,)`` whether anything is said of the pair."""
        return np.asarray(self.said.any(axis=1))

    def by_image(self, rows: Floats) -> list[Floats]:
        """Cut values of all rows into those of each image."""
        return np.split(rows, self.starts[1:-1])[: len(self.starts) - 1]  # of none, none


def ordered_pairs(count: int) -> Integers:
    """Return ``(count * (count - 1), 2)`` positions of subject and object.

    Example:
        >>> ordered_pairs(2).tolist()
        [[0, 1], [1, 0]]
    """
    grid = np.indices((count, count)).reshape(2, -1).T
    pairs: Integers = grid[grid[:, 0] != grid[:, 1]].astype(np.int64)
    return pairs


def pair_table(images: Sequence[AnnotatedImage], *, predicates: int) -> PairTable:
    """Return all ordered pairs of images.

    Args:
        images: In the order of the rows.
        predicates: Size of the vocabulary.

    Raises:
        InputError: The table would not fit into memory.
    """
    rows = sum(len(image) * (len(image) - 1) for image in images)
    if rows * (predicates + 8 * len(GEOMETRY)) > MAX_BYTES:
        raise InputError(
            f"{rows:,} pairs with {predicates:,} predicates are too many for one table",
            hint="take fewer images",
        )
    pairs = [ordered_pairs(len(image)) for image in images]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in pairs], dtype=np.int64)])
    said = np.zeros((int(starts[-1]), predicates), dtype=bool)
    for image, start in zip(images, starts.tolist(), strict=False):
        subject, predicate, other = image.triplets[image.triplets[:, 0] != image.triplets[:, 2]].T
        row = start + subject * (len(image) - 1) + other - (other > subject)
        said[row, predicate] = True
    geometry = [
        box_geometry(image.boxes[one[:, 0]], image.boxes[one[:, 1]], extent_of(image))
        for image, one in zip(images, pairs, strict=True)
    ]
    return PairTable(
        starts=starts,
        objects=np.concatenate([np.empty((0, 2), dtype=np.int64), *pairs]),
        labels=np.concatenate(
            [
                np.empty((0, 2), dtype=np.int64),
                *(image.labels[one] for image, one in zip(images, pairs, strict=True)),
            ]
        ),
        geometry=np.concatenate([np.empty((0, len(GEOMETRY))), *geometry]),
        said=said,
    )


def extent_of(image: AnnotatedImage) -> tuple[float, float, float, float]:
    """Return the box around all objects: annotations do not tell the size of the image."""
    if not len(image):
        return (0.0, 0.0, 1.0, 1.0)
    low, high = image.boxes[:, :2].min(axis=0), image.boxes[:, 2:].max(axis=0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def longer_side(image: AnnotatedImage) -> float:
    """Return the longer side of the box around all objects, in pixels; of one point 1e-9."""
    left, top, right, bottom = extent_of(image)
    return max(right - left, bottom - top, 1e-9)


def box_geometry(
    subjects: Floats, others: Floats, extent: tuple[float, float, float, float]
) -> Floats:
    """Return how boxes lie to each other.

    Args:
        subjects: ``(n, 4)`` boxes of the subjects in pixels.
        others: ``(n, 4)`` boxes of the objects.
        extent: Box to whose longer side lengths are taken, and in which positions are measured.

    Returns:
        ``(n, len(GEOMETRY))``, finite; ratios are cut at a factor of ``e**8``.
    """
    origin = np.array(extent[:2] * 2)
    side = max(extent[2] - extent[0], extent[3] - extent[1], 1e-9)
    a, b = (subjects - origin) / side, (others - origin) / side
    size_a, size_b = (np.maximum(box[:, 2:] - box[:, :2], _LEAST) for box in (a, b))
    centre_a, centre_b = (a[:, :2] + a[:, 2:]) / 2, (b[:, :2] + b[:, 2:]) / 2
    area_a, area_b = size_a.prod(axis=1), size_b.prod(axis=1)
    offset = centre_a - centre_b
    shared = np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0.0).prod(
        axis=1
    )
    around = (np.maximum(a[:, 2:], b[:, 2:]) - np.minimum(a[:, :2], b[:, :2])).prod(axis=1)
    columns = [
        *offset.T,
        *(offset / size_a).T,
        *(offset / size_b).T,
        *np.maximum(np.maximum(a[:, :2] - b[:, 2:], b[:, :2] - a[:, 2:]), 0.0).T,
        *np.log(size_a / size_b).T,
        np.log(area_a / area_b),
        shared / (area_a + area_b - shared),
        shared / area_a,
        shared / area_b,
        np.hypot(*offset.T),
        np.log(area_a),
        np.log(area_b),
        np.log(size_a[:, 0] / size_a[:, 1]),
        np.log(size_b[:, 0] / size_b[:, 1]),
        (a[:, 3] - b[:, 3]) / size_b[:, 1],
        (a[:, 1] - b[:, 1]) / size_b[:, 1],
        *centre_a.T,
        *centre_b.T,
        around,
    ]
    table: Floats = np.clip(np.stack(columns, axis=1), -2 * _MOST, 2 * _MOST)
    return table
