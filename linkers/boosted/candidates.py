"""At most 64 entities for each mention: what names, words, vectors and memory propose."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from linkers.boosted.looks import Looks
from linkers.boosted.name_index import NameIndex
from linkers.model import Mention

__all__ = ["LIMIT", "in_order", "propose"]

LIMIT = 64

_SAME = 24  # of the same name
_MEANT = 16  # that the surface has meant, the most frequent first
_NEAREST = 20  # by letters
Ids = NDArray[np.int64]


def propose(
    index: NameIndex,
    mentions: Sequence[Mention],
    looks: Looks,
    meant: Sequence[Mapping[int, int]],
    nearly: Sequence[Sequence[int]],
) -> list[Ids]:
    """Return the ids of each mention's candidates, ascending; see `in_order`."""
    return [
        np.sort(np.fromiter(union, np.int64))
        for union in in_order(index, mentions, looks, meant, nearly)
    ]


def in_order(
    index: NameIndex,
    mentions: Sequence[Mention],
    looks: Looks,
    meant: Sequence[Mapping[int, int]],
    nearly: Sequence[Sequence[int]],
) -> Iterator[Iterator[int]]:
    """Yield the ids of each mention's candidates as its sources name them, each once.

    Args:
        index: Of the entities.
        mentions: A block of mentions.
        looks: Their similarities.
        meant: Links of each one's surface by id.
        nearly: Ids that surfaces like each one's have meant.
    """
    for row, mention in enumerate(mentions):
        counts = meant[row]
        often = sorted(counts, key=lambda entity, c=counts: (-c[entity], entity))  # type: ignore[misc]
        named = [
            ids if len(ids) < 2 else _by_text(index, looks, row, ids)
            for ids in index.named_alike(mention.surface)
        ]
        near = looks.near[row].tolist()
        union = dict.fromkeys(
            itertools.chain(
                often[:_MEANT],
                *named,
                nearly[row],
                near[:_NEAREST],
                looks.worded[row].tolist(),
                looks.named[row].tolist(),
                looks.told[row].tolist(),
                near,
            )
        )
        yield itertools.islice(union, LIMIT)


def _by_text(index: NameIndex, looks: Looks, row: int, ids: Sequence[int]) -> list[int]:
    """Return those of namesakes whose names are nearest to the text, the nearest first."""
    same = np.array(ids, dtype=np.int64)
    _, told = index.of_vectors(looks.surfaces, looks.said, np.full(len(same), row), same)
    ordered: list[int] = same[np.argsort(-told, kind="stable")][:_SAME].tolist()
    return ordered
