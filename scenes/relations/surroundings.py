"""A pair within its image: how many objects there are, and how near the two are among them.

An annotator names few of the pairs of a crowded image: those of near, large and single objects.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scenes.relations.annotations import AnnotatedImage
from scenes.relations.matching import box_ious
from scenes.relations.pairs import ordered_pairs

__all__ = ["SURROUNDINGS", "surroundings"]

Floats = NDArray[np.float64]

SURROUNDINGS = (
    "objects", "log_objects", "rank_of_object", "rank_of_subject", "rank_of_object_by_overlap",
    "rank_of_subject_by_overlap", "share_nearer_to_subject", "share_nearer_to_object",
    "like_subject", "like_object", "size_rank_of_subject", "size_rank_of_object",
    "rank_among_like_objects", "rank_among_like_subjects", "rank_among_like_pairs",
    "log_like_pairs", "one_class",
)  # fmt: skip
"""Names of the columns of `surroundings`: ranks count from 0, the nearest first."""


def surroundings(images: Sequence[AnnotatedImage]) -> Floats:
    """Return ``(rows, len(SURROUNDINGS))`` of the ordered pairs of images, one after the other."""
    found = [_of_image(image) for image in images if len(image) > 1]
    return np.concatenate([np.empty((0, len(SURROUNDINGS))), *found])


def _of_image(image: AnnotatedImage) -> Floats:
    count, labels = len(image), image.labels
    subject, other = ordered_pairs(count).T
    distance = _distances(image)
    nearest = _ranks(distance)
    overlap = box_ious(image.boxes, image.boxes)
    most_shared = _ranks(np.where(np.eye(count, dtype=bool), np.inf, -overlap))
    alike = labels[:, None] == labels
    nearer = _nearer_alike(distance, alike)
    number_alike = alike.sum(axis=1)
    area = (image.boxes[:, 2:] - image.boxes[:, :2]).prod(axis=1)
    size = np.argsort(np.argsort(-area, kind="stable"), kind="stable") / (count - 1)
    of_pair = distance[subject, other]
    _, kind, size_of_kind = np.unique(
        labels[subject] * (int(labels.max()) + 1) + labels[other],
        return_inverse=True,
        return_counts=True,
    )
    columns = [
        np.full(len(subject), count),
        np.full(len(subject), np.log(count)),
        nearest[subject, other],
        nearest[other, subject],
        most_shared[subject, other],
        most_shared[other, subject],
        nearest[subject, other] / count,
        nearest[other, subject] / count,
        number_alike[subject],
        number_alike[other],
        size[subject],
        size[other],
        nearer[subject, other],
        nearer[other, subject],
        _ranks_within(of_pair, kind),
        np.log1p(size_of_kind[kind]),
        alike[subject, other],
    ]
    table: Floats = np.stack(columns, axis=1).astype(np.float64)
    return table


def _distances(image: AnnotatedImage) -> Floats:
    """Distances of centres; an object is infinitely far from itself."""
    centre = (image.boxes[:, :2] + image.boxes[:, 2:]) / 2
    distance: Floats = np.hypot(*(centre[:, None] - centre).transpose(2, 0, 1))
    np.fill_diagonal(distance, np.inf)
    return distance


def _ranks(values: Floats) -> NDArray[np.int64]:
    """Rank each row, the lowest first."""
    order: NDArray[np.int64] = np.argsort(values, axis=1, kind="stable")
    return np.argsort(order, axis=1, kind="stable")


def _nearer_alike(distance: Floats, alike: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count for each two objects how many of the second's class are nearer to the first."""
    nearer = distance[:, None, :] < distance[:, :, None]  # first, second, third
    counted: NDArray[np.int64] = (nearer & alike[None]).sum(axis=2)
    return counted


def _ranks_within(values: Floats, groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rank values within their group, the lowest first."""
    order = np.lexsort((values, groups))
    starts = np.searchsorted(groups[order], groups)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    ranks: NDArray[np.int64] = place - starts
    return ranks
