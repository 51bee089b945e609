"""Which guess is which gold triplet, by the three protocols of scene graphs.

PredCls: boxes and labels are given. SGCls: boxes are given, labels are guessed. SGDet: both are
guessed, and a region is an object if their boxes share half of their union. In all three a guess
is right if both labels and the predicate are.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from scenes.metrics import ScoredImage
from scenes.relations.annotations import AnnotatedImage
from scenes.relations.pairs import ordered_pairs

__all__ = ["PROTOCOLS", "Protocol", "box_ious", "scored_image"]

Floats = NDArray[np.float64]

Protocol = Literal["predcls", "sgcls", "sgdet"]
PROTOCOLS: tuple[Protocol, ...] = ("predcls", "sgcls", "sgdet")
_SAME = 0.5


def scored_image(
    gold: AnnotatedImage, scores: Floats, *, protocol: Protocol, found: AnnotatedImage | None = None
) -> ScoredImage:
    """Match the pairs of an image with its gold triplets.

    Args:
        gold: The annotated image.
        scores: ``(pairs, predicates)`` of the pairs of the regions found.
        protocol: Which.
        found: The regions found, with the labels guessed; those of `gold` if None.

    Raises:
        InputError: The protocol gives boxes or labels, and `found` has others; or the scores are
            of another number of pairs.

    Example:
        >>> image = AnnotatedImage(name="a", boxes=np.array([[0.0, 0, 4, 4], [0, 0, 2, 2]]),
        ...     labels=np.array([0, 1]), triplets=np.array([[1, 0, 0]]))
        >>> scored_image(image, np.array([[0.1], [0.9]]), protocol="predcls").hits.tolist()
        [[1, 0]]
    """
    regions = gold if found is None else found
    pairs = ordered_pairs(len(regions))
    if len(scores) != len(pairs):
        raise InputError(f"{len(scores)} rows of scores for {len(pairs)} pairs", where=gold.name)
    same = regions.labels[:, None] == gold.labels
    if protocol == "sgdet":
        same &= box_ious(regions.boxes, gold.boxes) >= _SAME
    else:
        if not np.array_equal(regions.boxes, gold.boxes):
            raise InputError(f"{protocol} gives the boxes, but others were found", where=gold.name)
        same &= np.eye(len(gold), dtype=bool)
        if protocol == "predcls" and not same.diagonal().all():
            raise InputError("predcls gives the labels, but others were found", where=gold.name)
    subject, predicate, other = gold.triplets.T
    # an object is no second object: a triplet of one object with itself has no pair
    match = same[pairs[:, 0]][:, subject] & same[pairs[:, 1]][:, other] & (subject != other)
    return ScoredImage(scores, predicate, np.argwhere(match))


def box_ious(first: Floats, second: Floats) -> Floats:
    """Return ``(n, m)`` intersection over union of ``(n, 4)`` and ``(m, 4)`` boxes, in [0, 1].

    A box without an area shares nothing, but equal boxes share all.
    """
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.maximum(high - low, 0.0).prod(axis=2)
    area, other = ((one[:, 2:] - one[:, :2]).prod(axis=1) for one in (first, second))
    union = area[:, None] + other - shared
    equal = (first[:, None] == second).all(axis=2)
    result: Floats = np.where(equal, 1.0, shared / np.where(union > 0, union, 1.0))
    return result
