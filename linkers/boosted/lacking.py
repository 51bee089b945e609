"""Words of candidates' names that a mention lacks: by these entities are told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from linkers.boosted.entity_table import cleaned
from linkers.boosted.name_index import NameIndex
from linkers.boosted.pairs import Pairs
from linkers.boosted.words import word_set
from linkers.model import Mention

__all__ = ["STOP", "Lacking", "lacking", "lacking_words"]

Ids = NDArray[np.int64]

STOP = word_set(
    "the a an of in on at for to and by with from as is are was were his her its their after "
    "during before that this s it be or he she"
)
"""Words that tell nothing apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Lacking:
    """Words of candidates' names that a mention lacks.

    Attributes:
        size: Candidates.
        words: Each once.
        where: ``(k,)`` which candidate, ascending.
        which: ``(k,)`` which of its words.
    """

    size: int
    words: Sequence[str]
    where: Ids
    which: Ids


def lacking_words(
    index: NameIndex, mentions: Sequence[Mention], pairs: Pairs
) -> Iterator[tuple[slice, Mention, Lacking]]:
    """Yield mentions with the place of their candidates and what these have more than they."""
    names = index.table.names
    ends = np.append(pairs.starts[1:], len(pairs.ids))
    for row, mention in enumerate(mentions):
        part = slice(int(pairs.starts[row]), int(ends[row]))
        own = word_set(cleaned(mention.surface))
        words: dict[str, int] = {}
        where: list[int] = []
        which: list[int] = []
        for place, entity in enumerate(pairs.ids[part].tolist()):
            for word in _ordered(names[entity][0]):
                if word not in own:
                    where.append(place)
                    which.append(words.setdefault(word, len(words)))
        yield (
            part,
            mention,
            Lacking(
                size=part.stop - part.start,
                words=tuple(words),
                where=np.array(where, dtype=np.int64),
                which=np.array(which, dtype=np.int64),
            ),
        )


@lru_cache(maxsize=131_072)
def _ordered(name: str) -> tuple[str, ...]:
    """Return the words of a name that count, in a fixed order."""
    return tuple(sorted(word_set(name) - STOP))


def lacking(mention: Mention, name: str) -> list[str]:
    """Return the words of a name that the mention lacks, in a fixed order."""
    own = word_set(cleaned(mention.surface))
    return [word for word in _ordered(name) if word not in own]
