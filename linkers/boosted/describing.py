"""Mentions to candidates and numbers, block by block: what a ranker is trained and applied on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.progress import Progress, silent
from linkers.boosted.candidates import propose
from linkers.boosted.document import document_of
from linkers.boosted.features import Pairs, plain_features, with_margins
from linkers.boosted.hint_features import hint_features
from linkers.boosted.memory import Memory
from linkers.boosted.name_index import NameIndex
from linkers.model import Mention

__all__ = ["Described", "describe"]

_BLOCK = 256  # mentions; bounds the dense arrays (40,000 entities: 120 MB)
_OTHERS = 8  # other mentions of a document that are looked at

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Described:
    """Mentions with their candidates.

    Attributes:
        pairs: Which mention and which entity each row is.
        values: ``(P, FEATURES)``.
    """

    pairs: Pairs
    values: Floats

    def __len__(self) -> int:
        """Return the number of mentions."""
        return len(self.pairs.starts)

    def places(self, gold: Sequence[int]) -> NDArray[np.int64]:
        """Return ``(n,)`` the row of each mention's entity, -1 where it is no candidate.

        Args:
            gold: ``(n,)`` ids, -1 for none.
        """
        right = self.pairs.ids == np.asarray(gold, dtype=np.int64)[self.pairs.rows]
        places = np.full(len(self), -1, dtype=np.int64)
        found = np.flatnonzero(right)
        places[self.pairs.rows[found]] = found
        return places

    def only(self, mentions: NDArray[np.bool_]) -> Described:
        """Return the rows of some mentions."""
        kept = mentions[self.pairs.rows]
        sizes = np.diff(np.append(self.pairs.starts, len(self.pairs.ids)))[mentions]
        pairs = Pairs(
            rows=np.repeat(np.arange(len(sizes)), sizes),
            ids=self.pairs.ids[kept],
            starts=np.cumsum(sizes) - sizes,
        )
        return Described(pairs=pairs, values=self.values[kept])

    @classmethod
    def joined(cls, parts: Sequence[Described]) -> Described:
        """Lay parts one after the other."""
        before = np.cumsum([0, *(len(part) for part in parts)])
        rows_before = np.cumsum([0, *(len(part.pairs.ids) for part in parts)])
        pairs = Pairs(
            rows=np.concatenate([p.pairs.rows + b for p, b in zip(parts, before, strict=False)]),
            ids=np.concatenate([part.pairs.ids for part in parts]),
            starts=np.concatenate(
                [p.pairs.starts + b for p, b in zip(parts, rows_before, strict=False)]
            ),
        )
        return cls(pairs=pairs, values=np.concatenate([part.values for part in parts]))


def describe(
    index: NameIndex,
    memory: Memory,
    mentions: Sequence[Mention],
    *,
    training: bool = False,
    progress: Progress = silent,
) -> Iterator[Described]:
    """Yield mentions with their candidates, a block at a time.

    Args:
        index: Of the entities.
        memory: Links of training mentions.
        mentions: The mentions; those of one document see one another's words.
        training: Whether these are the mentions that the memory holds: each is described as if
            its document had not been linked.
        progress: Told mentions done.
    """
    documents: dict[str, list[str]] = defaultdict(list)
    for mention in mentions:
        documents[document_of(mention)].append(mention.surface)
    for start in range(0, len(mentions), _BLOCK):
        block = mentions[start : start + _BLOCK]
        index.prepare(block)
        looks = index.look(block)
        meant = [memory.meant(mention, apart=training) for mention in block]
        nearly = memory.nearly_meant(block, apart=training)
        candidates = propose(index, block, looks, meant, nearly)
        pairs = Pairs.of(candidates)
        others = [_others(mention, documents[document_of(mention)]) for mention in block]
        plain = plain_features(index, block, others, looks, pairs)
        known = memory.describe(block, index.contexts(block), candidates, apart=training)
        told = hint_features(memory.hints, index, block, looks, pairs, apart=training)
        values = with_margins((plain, known, told), pairs.starts)
        progress(start + len(block), len(mentions))
        yield Described(pairs=pairs, values=values)


def _others(mention: Mention, surfaces: Sequence[str]) -> list[str]:
    distinct = dict.fromkeys(s for s in surfaces if s.strip() and s != mention.surface)
    return list(distinct)[:_OTHERS]
