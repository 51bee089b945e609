"""How alike a surface form and the names of each entity are, from several sides.

TF-IDF of character n-grams over three spellings of a name: plain, in Latin letters, by its
consonants; the best name of an entity counts. Everything is exact and independent of what else is
asked at the same time.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from linkers.knowledge_base import KnowledgeBase
from linkers.names import is_code, latin, normalised, plain, sound
from linkers.ngrams import PieceIndex, character_pieces

__all__ = ["SURFACE_SIGNALS", "AliasIndex", "NgramIndex"]

SURFACE_SIGNALS = (
    "exact name",
    "normalised name",
    "plain n-grams",
    "Latin n-grams",
    "sound n-grams",
    "spelling",
    "stem",
    "sound",
)
"""Rows of `AliasIndex.rows`, each in [0, 1]."""

_COMPARED = 64  # names whose spelling is compared letter by letter, for each surface


class NgramIndex:
    """Names by TF-IDF of character n-grams.

    Args:
        names: Names of each owner, in order; an owner without a name scores 0.
        sizes: Shortest and longest n-gram.
    """

    def __init__(self, names: list[list[str]], *, sizes: tuple[int, int]) -> None:
        flat = [name for group in names for name in group]
        self.owners = np.repeat(np.arange(len(names)), [len(group) for group in names])
        self._count = len(names)
        self._index = PieceIndex(flat, partial(character_pieces, sizes=sizes))

    def similarities(self, name: str) -> NDArray[np.float32]:
        """Return ``(names,)`` cosines of one name with all names."""
        return self._index.similarities(name)

    def best(self, similarities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``(owners,)`` the best of each owner's names."""
        result = np.zeros(self._count, dtype=np.float32)
        np.maximum.at(result, self.owners, similarities)
        return result


class AliasIndex:
    """All names of a knowledge base."""

    def __init__(self, base: KnowledgeBase) -> None:
        self._names = base.names
        self._size = len(base)
        self._spellings = base.spellings
        self._exact: dict[str, list[int]] = {}
        for owner, names in enumerate(base.names):
            for name in names:
                self._exact.setdefault(name, []).append(owner)
        self._plain = NgramIndex([[plain(n) for n in group] for group in base.names], sizes=(2, 4))
        self._latin = NgramIndex([[latin(n) for n in group] for group in base.names], sizes=(2, 4))
        self._sound = NgramIndex([[sound(n) for n in group] for group in base.names], sizes=(1, 3))
        self._flat = [name for names in base.names for name in names]

    def rows(self, surface: str) -> NDArray[np.float32]:
        """Return ``(signals, N)`` similarities of a surface form with every entity."""
        rows = np.zeros((len(SURFACE_SIGNALS), self._size), dtype=np.float32)
        if not surface.strip():
            return rows
        rows[0, self._exact.get(surface.strip(), [])] = 1.0
        rows[1, list(self._spellings.get(normalised(surface), ()))] = 1.0
        if is_code(surface.strip()):
            # A code is no word whose letters could be compared: it is a name's equal, or nothing.
            rows[2:, rows[0] > 0] = 1.0
            return rows
        in_latin = self._latin.similarities(latin(surface))
        rows[2] = self._plain.best(self._plain.similarities(plain(surface)))
        rows[3] = self._latin.best(in_latin)
        in_sound = self._sound.similarities(sound(surface))
        rows[4] = self._sound.best(in_sound)
        alike = np.maximum(in_latin, in_sound)
        best_first = np.argsort(-alike, kind="stable")[:_COMPARED]
        for place in best_first.tolist():
            owner = self._latin.owners[place]
            found = _spelling(surface, self._flat[place])
            rows[5:8, owner] = np.maximum(rows[5:8, owner], found)
        return rows


def _spelling(surface: str, name: str) -> tuple[float, float, float]:
    """Return likeness of letters, share of a common beginning, and likeness of sounds."""
    one, other = latin(surface), latin(name)
    common = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        common += 1
    stem = common / max(1, min(len(one), len(other)))
    sounds = fuzz.ratio(sound(surface), sound(name)) / 100 if sound(surface) else 0.0
    return fuzz.ratio(one, other) / 100, stem, sounds
