"""At most 64 entities for each mention: what names, words, vectors and memory propose."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from linkers.boosted.looks import Looks
from linkers.boosted.name_index import NameIndex
from linkers.model import Mention

__all__ = ["LIMIT", "propose", "proposed"]

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
    """Return the ids of each mention's candidates, ascending; see `proposed`."""
    # what it needs takes half a second to come, and most commands link nothing
    from linkers.boosted.distinct_loops import first_distinct

    ids, starts = proposed(index, mentions, looks, meant, nearly)
    found, begins = first_distinct(ids, starts, LIMIT, len(index.table))
    return [found[start:end] for start, end in itertools.pairwise(begins.tolist())]


def proposed(
    index: NameIndex,
    mentions: Sequence[Mention],
    looks: Looks,
    meant: Sequence[Mapping[int, int]],
    nearly: Sequence[Sequence[int]],
) -> tuple[Ids, Ids]:
    """Return all that the sources of each mention name, in their order, and where each begins.

    Args:
        index: Of the entities.
        mentions: A block of mentions.
        looks: Their similarities.
        meant: Links of each one's surface by id.
        nearly: Ids that surfaces like each one's have meant.

    Returns:
        The ids, one mention's after the other's, some of them twice, and ``(mentions + 1,)``
        starts.
    """
    named = _named(index, mentions, looks)
    parts: list[Ids] = []
    sizes = []
    for row, counts in enumerate(meant):
        often = sorted(counts, key=lambda entity, c=counts: (-c[entity], entity))  # type: ignore[misc]
        first = np.array([*often[:_MEANT], *named[row], *nearly[row]], dtype=np.int64)
        near = looks.near[row]
        by_likeness = (looks.worded[row], looks.named[row], looks.told[row])
        own = (first, near[:_NEAREST], *by_likeness, near)
        parts += own
        sizes.append(sum(map(len, own)))
    return np.concatenate(parts), np.cumsum([0, *sizes])


def _named(index: NameIndex, mentions: Sequence[Mention], looks: Looks) -> list[list[int]]:
    """Return the namesakes of each mention; where there are several, those nearest to its text."""
    found = index.named_alike([mention.surface for mention in mentions])
    groups = [(row, ids) for row, sources in enumerate(found) for ids in sources if ids]
    several = [(row, ids) for row, ids in groups if len(ids) > 1]
    same = np.array([id_ for _, ids in several for id_ in ids], dtype=np.int64)
    rows = np.repeat([row for row, _ in several], [len(ids) for _, ids in several]).astype(np.int64)
    told = index.of_vectors(looks.surfaces, looks.said, rows, same)[1] if several else same
    named: list[list[int]] = [[] for _ in mentions]
    start = 0
    for row, ids in groups:
        if len(ids) == 1:
            named[row] += ids
            continue
        part = slice(start, start + len(ids))
        named[row] += same[part][np.argsort(-told[part], kind="stable")][:_SAME].tolist()
        start = part.stop
    return named
