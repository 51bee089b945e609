"""What the graph says for a mention: neighbours of an entity that the surface or the text names.

A capital, a language or a region is no alias of a country, but an edge to it is evidence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from linkers.aliases import NgramIndex
from linkers.knowledge_base import KnowledgeBase
from linkers.names import is_code, latin, normalised
from linkers.ngrams import PieceIndex, word_pieces

__all__ = ["CONTEXT_SIGNALS", "FACT_SIGNALS", "FactIndex", "spot"]

FACT_SIGNALS = ("named fact", "like a fact")
"""Rows of `FactIndex.surface_rows`: a neighbour has this very name, or one like it."""

CONTEXT_SIGNALS = (
    "common neighbours",
    "common facts",
    "words of facts",
    "named elsewhere",
    "near the middle",
    "near one named",
)
"""Rows of `FactIndex.context_rows`."""

_WORD = re.compile(r"\w[\w'’.\-]*")
_LONGEST = 7  # words of a name
_MAX_CHARS = 4000
_NEAR = 0.08  # radians, some 500 km: at this distance nearness is a half
_REGION_BONUS = 0.05  # a tie-breaker beside common neighbours


class FactIndex:
    """The neighbourhood of every entity of a base."""

    def __init__(self, base: KnowledgeBase) -> None:
        self._base = base
        self._names = NgramIndex([[latin(e.name)] for e in base.context], sizes=(2, 4))
        self._facts = base.facts.tocsc()
        holders = np.asarray(base.facts.sum(axis=0)).ravel()
        # a fact that few entities share says more (inverse document frequency)
        self._weight = np.log((1 + len(base)) / (1 + holders)).astype(np.float32)
        self._peer_count = np.asarray(base.peers.sum(axis=1)).ravel().astype(np.float32)
        self._fact_count = np.asarray(
            base.facts.multiply(self._weight[None]).sum(axis=1), dtype=np.float32
        ).ravel()
        texts = [f"{e.name}. {d}" for e, d in zip(base.entities, base.descriptions, strict=True)]
        self._words = PieceIndex(texts, word_pieces, sublinear=True)
        self._weights_of_holders = 1.0 / np.sqrt(np.maximum(holders, 1)).astype(np.float32)

    def surface_rows(self, surface: str) -> NDArray[np.float32]:
        """Return ``(2, N)``: a neighbour is called like the surface, shared ones counting less."""
        rows = np.zeros((len(FACT_SIGNALS), len(self._base)), dtype=np.float32)
        if not surface.strip() or not self._base.context or is_code(surface):
            return rows
        for fact in self._base.context_spellings.get(normalised(surface), ()):
            owners = self._facts[:, fact].indices
            rows[0, owners] = np.maximum(rows[0, owners], self._weights_of_holders[fact])
        alike = self._names.best(self._names.similarities(latin(surface)))
        for fact in np.flatnonzero(alike > 0.2).tolist():
            owners = self._facts[:, fact].indices
            value = alike[fact] * self._weights_of_holders[fact]
            rows[1, owners] = np.maximum(rows[1, owners], value)
        return rows

    def context_rows(self, text: str, *, also: Collection[int] = ()) -> NDArray[np.float32]:
        """Return ``(6, N)`` from the text around a mention, its own words cut out.

        Args:
            text: The text without the mention.
            also: Ids of entities that other mentions of the document were linked to.

        Common neighbours: 2 x named and bordering / (named + bordering), plus a little for a
        shared region; common facts: the same, each fact weighted by its rarity. Near the middle:
        1 / (1 + distance / 500 km) to the middle of the named places; near one: to the nearest.
        """
        base = self._base
        rows = np.zeros((len(CONTEXT_SIGNALS), len(base)), dtype=np.float32)
        named, facts = spot(text, base.spellings, base.context_spellings)
        named |= set(also)
        if named:
            wanted = np.zeros(len(base), dtype=np.float32)
            wanted[list(named)] = 1.0
            common = base.peers @ wanted
            rows[0] = 2 * common / np.maximum(self._peer_count + len(named), 1)
            rows[3] = wanted
            rows[4:6] = self._nearness(sorted(named))
        if facts:
            chosen = np.zeros(len(base.context), dtype=np.float32)
            chosen[list(facts)] = self._weight[list(facts)]
            shared = base.facts @ chosen
            rows[1] = 2 * shared / np.maximum(self._fact_count + chosen.sum(), 1e-6)
            rows[0] += _REGION_BONUS * (shared > 0)
        if text.strip():
            rows[2] = self._words.similarities(text[:_MAX_CHARS])
        return rows

    def _nearness(self, named: list[int]) -> NDArray[np.float32]:
        """Return ``(2, N)`` nearness to the middle of named places and to the nearest of them."""
        points = self._base.positions
        there: NDArray[np.bool_] = np.any(points != 0, axis=1)
        places = points[named][there[named]]
        if not len(places):
            return np.zeros((2, len(points)), dtype=np.float32)
        middle = places.mean(axis=0)
        targets = np.stack([middle / max(float(np.linalg.norm(middle)), 1e-6), *places])
        angles = np.arccos(np.clip(targets @ points.T, -1.0, 1.0))
        near = there / (1.0 + angles / _NEAR)
        near[1:, named] = 0.0  # a named place is near itself, which says nothing
        return np.stack([near[0], near[1:].max(axis=0)]).astype(np.float32)


def spot(text: str, *spellings: Mapping[str, tuple[int, ...]]) -> list[set[int]]:
    """Return for each table the owners of its names in a text; longest first, each word once.

    Only runs of words whose first letter is a capital count, and names of one owner.
    """
    words = [(match.group(), match.start()) for match in _WORD.finditer(text[:_MAX_CHARS])]
    found: list[set[int]] = [set() for _ in spellings]
    place = 0
    while place < len(words):
        step = 1
        if words[place][0][:1].isupper():
            for length in range(min(_LONGEST, len(words) - place), 0, -1):
                first, (last, start) = words[place][1], words[place + length - 1]
                key = normalised(text[first : start + len(last)].strip("."))
                if any(key in table for table in spellings):
                    for owners, table in zip(found, spellings, strict=True):
                        own = table.get(key, ())
                        owners.update(own if len(own) == 1 else ())
                    step = length
                    break
        place += step
    return found
