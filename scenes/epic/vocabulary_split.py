"""Which predicates are base, to learn from, and which are novel, to be known by name only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kg.errors import SettingError
from scenes.relations.annotations import AnnotatedImage

__all__ = ["novel_predicates", "only_predicates"]

Flags = NDArray[np.bool_]

_GROUP = 10


def novel_predicates(counts: NDArray[np.integer], *, seed: int, novel_in_ten: int = 3) -> Flags:
    """Draw novel predicates, frequent and rare ones alike: so many of each ten by frequency.

    Args:
        counts: ``(predicates,)`` training triplets of each.
        seed: Of the draw.
        novel_in_ten: 3 for the split of 70 % base and 30 % novel.

    Raises:
        SettingError: It is not between 1 and 9.

    Example:
        >>> int(novel_predicates(np.arange(70), seed=0).sum())
        21
    """
    if not 1 <= novel_in_ten < _GROUP:
        raise SettingError(f"of ten predicates 1 to 9 can be novel, not {novel_in_ten}")
    rng, novel = np.random.default_rng(seed), np.zeros(len(counts), dtype=bool)
    order = np.argsort(-counts, kind="stable")
    for start in range(0, len(order), _GROUP):
        group = order[start : start + _GROUP]
        count = round(novel_in_ten * len(group) / _GROUP)
        novel[rng.choice(group, count, replace=False)] = True
    return novel


def only_predicates(images: Sequence[AnnotatedImage], kept: Flags) -> tuple[AnnotatedImage, ...]:
    """Return the images without the triplets of other predicates.

    Args:
        images: Annotated.
        kept: ``(predicates,)``.
    """
    return tuple(
        image.with_triplets(image.triplets[kept[image.triplets[:, 1]]]) for image in images
    )
