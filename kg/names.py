"""Names of entities in a text: the longest first, none overlapping another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kg.model import EntityKey
from kg.words import Word, words

__all__ = ["MAX_NAME", "NameIndex", "NameSpot"]

MAX_NAME = 8
"""Words of the longest name that is found."""


@dataclass(frozen=True, slots=True)
class NameSpot:
    """A name that stands in a text.

    Attributes:
        keys: All entities with this name, ascending.
        start: First character, from 0.
        end: One past the last.
    """

    keys: tuple[EntityKey, ...]
    start: int
    end: int


class NameIndex:
    """Finds names by their folded words; a single word must begin with a capital, as names do.

    Args:
        names: Entities and their names.

    Example:
        >>> ivory, mali = EntityKey("c:CI"), EntityKey("c:ML")
        >>> index = NameIndex([(ivory, ["Côte d'Ivoire"]), (mali, ["Mali"])])
        >>> [spot.keys for spot in index.spots("from cote d'ivoire to Mali, not mali")]
        [('c:CI',), ('c:ML',)]
    """

    def __init__(self, names: Iterable[tuple[EntityKey, Iterable[str]]]) -> None:
        found: dict[tuple[str, ...], set[EntityKey]] = {}
        for key, texts in names:
            for text in texts:
                spelt = tuple(word.text for word in words(text))
                if 0 < len(spelt) <= MAX_NAME:
                    found.setdefault(spelt, set()).add(key)
        self._keys = {spelt: tuple(sorted(keys)) for spelt, keys in found.items()}

    def spots(self, text: str) -> Iterator[NameSpot]:
        """Iterate the names in a text, in its order."""
        told = list(words(text))
        at = 0
        while at < len(told):
            spot, count = self._longest(text, told[at : at + MAX_NAME])
            if spot is not None:
                yield spot
            at += count

    def _longest(self, text: str, told: list[Word]) -> tuple[NameSpot | None, int]:
        for count in range(len(told), 0, -1):
            keys = self._keys.get(tuple(word[0] for word in told[:count]))
            start, end = told[0][1], told[count - 1][2]
            if keys and (count > 1 or (text[start].isupper() and end - start > 2)):
                return NameSpot(keys, start, end), count
        return None, 1
