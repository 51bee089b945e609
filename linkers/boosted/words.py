"""Words of many names, weighted by how rare they are: which share of a name a text holds."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import sparse

from linkers.boosted.demonyms import COUNTRY_OF
from linkers.names import latin

__all__ = ["WordIndex", "text_words", "word_set"]

_WORD = re.compile(r"\w+")


def text_words(text: str) -> frozenset[str]:
    """Return the words of a text in Latin letters, countries added for their adjectives.

    Example:
        >>> sorted(text_words("The Dutch king's"))
        ['dutch', 'king', 'netherlands', 'the']
    """
    # Longer than names.latin reads, hence in pieces that end where words do.
    words = [w for part in _pieces(text) for w in _WORD.findall(latin(part)) if w != "s"]
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
    pieces, part = [], ""
    for word in text.split():
        if part and len(part) + len(word) > size:
            pieces.append(part)
            part = ""
        part = f"{part} {word}"
    return [*pieces, part]


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
        self.unknown = math.log(1 + total) + 1
        held = self._rows(sets)
        self._names_by_word = [held.T.tocsr()]  # ``(V, F)`` 0/1, the columns in parts
        self.mass = np.asarray(held @ self.weights, dtype=np.float32)
        """``(F,)`` weight of all words of a name."""

    def add(self, names: Sequence[str]) -> None:
        """Append names; a word that no name held before weighs as an unknown one."""
        sets = [word_set(name) for name in names]
        fresh = sorted({word for words in sets for word in words} - self._ids.keys())
        self._ids.update((word, row) for row, word in enumerate(fresh, len(self._ids)))
        unknown = np.full(len(fresh), self.unknown, dtype=np.float32)
        self.weights = np.concatenate([self.weights, unknown])
        held = self._rows(sets)
        self._names_by_word.append(held.T.tocsr())
        self.mass = np.concatenate([self.mass, np.asarray(held @ self.weights, dtype=np.float32)])

    def shared(self, sets: Sequence[frozenset[str]]) -> sparse.csr_matrix:
        """Return ``(texts, F)`` weight of the words that each text and name share."""
        weighted = self.weighted(sets)
        parts = [weighted[:, : part.shape[0]] @ part for part in self._names_by_word]
        found = parts[0] if len(parts) == 1 else sparse.hstack(parts, format="csr")
        found.sort_indices()
        return found

    def weighted(self, sets: Sequence[frozenset[str]]) -> sparse.csr_matrix:
        """Return ``(texts, V)`` weights of the words of each that some name holds."""
        found = self._rows(sets)
        found.data = self.weights[found.indices]
        return found

    def _rows(self, sets: Sequence[frozenset[str]]) -> sparse.csr_matrix:
        columns = [sorted(self._ids[w] for w in words if w in self._ids) for words in sets]
        return _ones(columns, len(self._ids))

    def weight(self, word: str) -> float:
        """Return the weight of a word, also of one that no name holds."""
        row = self._ids.get(word)
        return self.unknown if row is None else float(self.weights[row])

    def mass_of(self, words: frozenset[str]) -> float:
        """Return the weight of a text's words, also of those that no name holds."""
        return sum(map(self.weight, words))


def _ones(columns: list[list[int]], width: int) -> sparse.csr_matrix:
    starts = np.cumsum([0, *map(len, columns)])
    flat = np.array([c for row in columns for c in row], dtype=np.int32)
    return sparse.csr_matrix(
        (np.ones(len(flat), dtype=np.float32), flat, starts), shape=(len(columns), width)
    )
