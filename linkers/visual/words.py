"""How far the words of a mention speak for each entity of a base: spellings and meanings.

A keyword may be an entity's name, one of its tags, a word of either, or another word for it; each
of these is a unit of its own, so that training tells how much it counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from linkers.boosted.entity_table import EntityTable
from linkers.boosted.texts import PooledTexts
from linkers.model import Mention
from linkers.names import normalised

__all__ = ["WORD_UNITS", "WordIndex"]

WORD_UNITS = (
    "one of the names",
    "the first name",
    "words in the first name",
    "letters in common",
    "meaning of the first name",
    "nearest meaning",
    "meaning of all names",
    "meaning of the description",
    "meaning of the context",
)
"""Rows of `WordIndex.units`."""

_BLOCK = 64  # mentions against all names at once

Floats = NDArray[np.float32]


class WordIndex:
    """Names of a base, ready to be compared with words.

    Args:
        table: The entities.
        texts: Encodes names and words.
    """

    def __init__(self, table: EntityTable, texts: PooledTexts) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer  # a second to load

        self.table, self._texts = table, texts
        names = [name for group in table.names for name in group]
        counts = np.array([len(group) for group in table.names])
        self._starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        self._letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), lowercase=False)
        spelled = self._letters.fit_transform([normalised(name) for name in names])
        self._spelled = sparse.csr_matrix(spelled).T.tocsr().astype(np.float32)
        self._vectors = texts.matrix(names)
        self._middle: Floats = np.add.reduceat(self._vectors, self._starts) / counts[:, None]
        self._described = texts.matrix(
            [note or ", ".join(group) for note, group in zip(table.notes, table.names, strict=True)]
        )
        self._owners: dict[str, dict[int, None]] = {}
        self._first: list[frozenset[str]] = []
        for row, group in enumerate(table.names):
            self._first.append(frozenset(normalised(group[0]).split()))
            for name in group:
                self._owners.setdefault(normalised(name), {})[row] = None
        self._containing: dict[str, list[int]] = {}
        for row, words in enumerate(self._first):
            for word in words:
                self._containing.setdefault(word, []).append(row)

    def meanings(self) -> Floats:
        """Return ``(N, dim)`` the mean vector of each entity's names."""
        return self._middle

    def said(self, mentions: Sequence[Mention]) -> Floats:
        """Return ``(n, dim)`` the vectors of the mentions' own words."""
        return self._texts.matrix([mention.surface for mention in mentions])

    def units(self, mentions: Sequence[Mention]) -> Floats:
        """Return ``(units, mentions, N)`` scores, in the order of `WORD_UNITS`."""
        found = np.zeros((len(WORD_UNITS), len(mentions), len(self.table)), dtype=np.float32)
        for start in range(0, len(mentions), _BLOCK):
            part = mentions[start : start + _BLOCK]
            self._fill(found[:, start : start + len(part)], part)
        return found

    def _fill(self, found: Floats, mentions: Sequence[Mention]) -> None:
        spelled = [normalised(mention.surface) for mention in mentions]
        for row, words in enumerate(spelled):
            owners = list(self._owners.get(words, ()))
            found[0, row, owners] = 1.0
            own = set(words.split())
            inside = [e for word in own for e in self._containing.get(word, ())]
            for entity in inside:
                shared = own & self._first[entity]
                found[1, row, entity] = float(own == self._first[entity])
                found[2, row, entity] = len(shared) / len(own | self._first[entity])
        letters = (self._letters.transform(spelled).astype(np.float32) @ self._spelled).toarray()
        found[3] = np.maximum.reduceat(letters, self._starts, axis=1)
        vectors = self.said(mentions)
        close = vectors @ self._vectors.T
        found[4] = close[:, self._starts]
        found[5] = np.maximum.reduceat(close, self._starts, axis=1)
        found[6] = vectors @ self._middle.T
        found[7] = vectors @ self._described.T
        if any(mention.context.strip() for mention in mentions):
            found[8] = self._texts.matrix([m.context for m in mentions]) @ self._described.T
