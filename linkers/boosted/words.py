"""Words of many names, weighted by how rare they are: which share of a name a text holds."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from linkers.boosted.demonyms import COUNTRY_OF
from linkers.boosted.members import members_of
from linkers.names import latin_text

__all__ = ["STOP", "HeldWords", "WordIndex", "text_words", "word_set"]

_WORD = re.compile(r"\w+")

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


def text_words(text: str) -> frozenset[str]:
    """Return the words of a text in Latin letters, countries added for their adjectives.

    Example:
        >>> sorted(text_words("The Dutch king's"))
        ['dutch', 'king', 'netherlands', 'the']
    """
    # Longer than names.latin_text reads, hence in pieces that end where words do.
    words = [w for part in _pieces(text) for w in _WORD.findall(latin_text(part)) if w != "s"]
    found = set(words)
    for word in words:
        if word in COUNTRY_OF:
            found.update(_WORD.findall(COUNTRY_OF[word].casefold()))
    return frozenset(found)


@lru_cache(maxsize=16_384)
def word_set(text: str) -> frozenset[str]:
    """Return `text_words` of a name or surface; the last ones are remembered.

    Example:
        >>> sorted(word_set("Mali"))
        ['mali']
    """
    return text_words(text)


def _pieces(text: str, size: int = 160) -> list[str]:
    if len(text) < size:
        return [text]
    pieces, part = [], ""
    for word in text.split():
        if part and len(part) + len(word) > size:
            pieces.append(part)
            part = ""
        part = f"{part} {word}"
    return [*pieces, part]


STOP = word_set(
    "the a an of in on at for to and by with from as is are was were his her its their after "
    "during before that this s it be or he she"
)
"""Words that tell nothing apart."""


class HeldWords:
    """Which words of names each of a block of mentions holds, itself or with its text.

    Args:
        own: ``(n, V)`` words of each mention; see `WordIndex.rows`.
        every: ``(n, V)`` words of each with its text, those of the mention among them.
    """

    def __init__(self, own: sparse.csr_matrix, every: sparse.csr_matrix) -> None:
        self._words, self._starts = every.indices, every.indptr.astype(np.int64)
        self._width = own.shape[1]
        self._own = np.isin(_keys_of(every), _keys_of(own), assume_unique=True)

    def of(self, rows: Ids, words: Ids) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return for pairs of a mention and a word whether it holds it, and whether either does.

        Args:
            rows: The mention of each pair, ascending.
            words: The word of each.
        """
        # what it needs takes half a second to come, and most commands link nothing
        from linkers.boosted.place_loops import places

        bounds = np.searchsorted(rows, np.arange(len(self._starts)))
        found = places(self._words, self._starts, words, bounds, self._width)
        own = np.append(self._own, False)[found]  # -1, the last: it is not there
        return own, found >= 0


def _keys_of(rows: sparse.csr_matrix) -> Ids:
    mentions = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    keys: Ids = mentions * rows.shape[1] + rows.indices
    return keys


class WordIndex:
    """Words of names, weighted by how rare they are.

    Args:
        names: ``F`` names.
    """

    def __init__(self, names: Sequence[str]) -> None:
        sets = [word_set(name) for name in names]
        spread = Counter(word for words in sets for word in words)
        self._ids = {word: row for row, word in enumerate(sorted(spread))}
        total = len(names)
        self.weights = np.array(
            [math.log((1 + total) / (1 + spread[word])) + 1 for word in self._ids], dtype=np.float32
        )
        """``(V,)`` how rare each word is."""
        self.unknown = math.log(1 + total) + 1
        self.telling = self._telling(self._ids)
        """``(V,)`` whether a word tells names apart."""
        self._held = self.rows(sets)  # ``(F, V)`` 0/1
        self._names_by_word = self._held.T.tocsr()  # ``(V, F)`` 0/1
        self.mass: Floats = self._held @ self.weights
        """``(F,)`` weight of all words of a name."""

    def add(self, names: Sequence[str]) -> None:
        """Append names; a word that no name held before weighs as an unknown one."""
        sets = [word_set(name) for name in names]
        fresh = sorted({word for words in sets for word in words} - self._ids.keys())
        self._ids.update((word, row) for row, word in enumerate(fresh, len(self._ids)))
        unknown = np.full(len(fresh), self.unknown, dtype=np.float32)
        self.weights = np.concatenate([self.weights, unknown])
        self.telling = np.concatenate([self.telling, self._telling(fresh)])
        held = self.rows(sets)
        self._held.resize(self._held.shape[0], len(self._ids))
        self._held = sparse.vstack([self._held, held], format="csr")
        self._names_by_word.resize(len(self._ids), self._names_by_word.shape[1])
        self._names_by_word = sparse.hstack([self._names_by_word, held.T], format="csr")
        self.mass = np.concatenate([self.mass, held @ self.weights])

    @property
    def words(self) -> Iterable[str]:
        """The ``V`` words of names, in the order of their ids."""
        return self._ids.keys()

    def ids(self, words: Iterable[str]) -> list[int]:
        """Return the ids of those words that some name holds, ascending."""
        known = self._ids
        return sorted(known[word] for word in words if word in known)

    def of(self, names: Ids) -> tuple[Ids, Ids]:
        """Return the words of some names, those of each ascending, and how many each has."""
        places, _, sizes = members_of(self._held.indptr, names)
        return self._held.indices[places].astype(np.int64), sizes

    def weigh(self, words: Ids, sizes: Ids, counted: NDArray[np.bool_]) -> Floats:
        """Return ``(names,)`` weight of those words of names that are counted.

        Args:
            words: Words of names, one name after the other.
            sizes: How many each name has.
            counted: ``(words,)``.
        """
        starts = np.append(0, np.cumsum(sizes))
        shape = (len(sizes), len(self.weights))
        found: Floats = sparse.csr_matrix(
            (counted.astype(np.float32), words, starts), shape=shape
        ).dot(self.weights)
        return found

    def rows(self, sets: Sequence[frozenset[str]]) -> sparse.csr_matrix:
        """Return ``(texts, V)`` 0/1: the words of each that some name holds."""
        known = self._ids
        columns = [sorted(known[word] for word in words if word in known) for words in sets]
        starts = np.cumsum([0, *map(len, columns)])
        flat = np.fromiter(itertools.chain.from_iterable(columns), np.int32, int(starts[-1]))
        ones = np.ones(len(flat), dtype=np.float32)
        return sparse.csr_matrix((ones, flat, starts), shape=(len(columns), len(known)))

    def sharing(
        self, own: sparse.csr_matrix, every: sparse.csr_matrix, mass: Floats, count: int
    ) -> list[Ids]:
        """Return for each mention the names that share most with it and with its text, best first.

        What counts is the share of the name's words that mention and text hold, and the share of
        the mention's words that the name holds, by weight; ties by the lower name.

        Args:
            own: ``(n, V)`` words of each mention; see `rows`.
            every: ``(n, V)`` words of each with its text, those of the mention among them.
            mass: ``(n,)`` weight of each mention's words, also of those that no name holds.
            count: How many names are wanted; fewer where fewer share a word.
        """
        # what it needs takes half a second to come, and most commands link nothing
        from linkers.boosted.word_loops import sharing

        words = (own.indices, own.indptr, every.indices, every.indptr)
        names = (self._names_by_word.indices, self._names_by_word.indptr)
        found = sharing(*words, mass, *names, self.weights, self.mass, count)
        return [row[row >= 0] for row in found]

    @staticmethod
    def _telling(words: Iterable[str]) -> NDArray[np.bool_]:
        return np.array([word not in STOP for word in words], dtype=np.bool_)

    def weight(self, word: str) -> float:
        """Return the weight of a word, also of one that no name holds."""
        row = self._ids.get(word)
        return self.unknown if row is None else float(self.weights[row])

    def mass_of(self, words: frozenset[str]) -> float:
        """Return the weight of a text's words, also of those that no name holds."""
        return math.fsum(map(self.weight, words))
