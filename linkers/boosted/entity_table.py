"""A large set of entities that has names and nothing else: keys, spellings, initials."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from kg.model import EntityKey
from linkers.knowledge_base import KnowledgeBase
from linkers.names import latin, normalised

__all__ = ["EntityTable", "bare", "cleaned", "initials", "marks_of", "number_in"]

_QUALIFIER = re.compile(r"\s*(\([^()]*\)|,.*)$")
_QUALIFIED = re.compile(r"\(([^()]*)\)|,(.*)$")
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+")
_POSSESSIVE = re.compile(r"['’]s?$")
_SMALL = {"of", "the", "and", "for", "in", "on", "de", "la", "du", "a", "an", "to"}
_SHORTEST, _LONGEST = 2, 8  # letters of an acronym


def bare(name: str) -> str:
    """Return a name without what tells it from its namesakes.

    Example:
        >>> bare("Amazon (company)"), bare("Union Parish, Louisiana"), bare("Peru")
        ('Amazon', 'Union Parish', 'Peru')
    """
    return _QUALIFIER.sub("", name) or name


@lru_cache(maxsize=16_384)
def cleaned(surface: str) -> str:
    """Return a surface form, normalised, without an ending of possession.

    Example:
        >>> cleaned("London Metropolitan University's")
        'london metropolitan university'
    """
    return normalised(_POSSESSIVE.sub("", surface.strip()))


def initials(name: str) -> tuple[str, ...]:
    """Return the initials of a name of several words: a hyphen may part words or not.

    Example:
        >>> initials("Federal Bureau of Investigation"), initials("Peru")
        (('FBI',), ())
        >>> initials("Five-hundred-meter Aperture Telescope")
        ('FHMAT', 'FAT')
    """
    found = []
    for words in (_WORD.findall(bare(name)), bare(name).split()):
        letters = "".join(w[0] for w in words if w.casefold() not in _SMALL).upper()
        if _SHORTEST <= len(letters) <= 2 * _LONGEST and letters.isalnum():
            found.append(letters)
    return tuple(dict.fromkeys(found))


def _in_order(letters: str, name: str) -> bool:
    """Tell whether letters stand in a name's initials in their order."""
    rest = iter(name)
    return all(letter in rest for letter in letters)


def marks_of(name: str) -> tuple[str, frozenset[str], int]:
    """Return what tells a name from namesakes, its numbers, and how many words it has.

    Example:
        >>> marks_of("Amazon (company)")
        ('company', frozenset(), 2)
    """
    found = _QUALIFIED.search(name) if bare(name) != name else None
    qualifier = latin((found.group(1) or found.group(2) or "").strip()) if found else ""
    return qualifier, frozenset(_NUMBER.findall(name)), len(name.split())


def number_in(key: str) -> float:
    """Return the logarithm of the number that a key ends with, 0 without one.

    Bases number what they know in the order in which it came, the well-known first; the ranker
    learns whether this one did.

    Example:
        >>> number_in("Q145") < number_in("Q1441444"), number_in("country:PE")
        (True, 0.0)
    """
    found = re.search(r"(\d{1,15})$", key)
    return math.log1p(int(found.group(1))) if found else 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class EntityTable:
    """Entities; positions in the tuples are their ids here.

    Attributes:
        keys: Key of each, each once.
        names: Name and aliases of each, the name first.
        notes: A description of each, "" where there is none.

    Raises:
        InputError: Nothing is there, lengths differ, a key stands twice, or a name is missing.
    """

    keys: tuple[EntityKey, ...]
    names: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that the parts fit."""
        if not self.keys:
            raise InputError("no entity may be meant", hint="is the file of entities empty?")
        if not self.notes:
            object.__setattr__(self, "notes", ("",) * len(self.keys))
        if not len(self.keys) == len(self.names) == len(self.notes):
            raise InputError("keys, names and notes have different lengths")
        for key, count in Counter(self.keys).items():
            if count > 1:
                raise InputError("an entity stands twice", where=str(key))
        for key, names in zip(self.keys, self.names, strict=True):
            if not names or not names[0].strip():
                raise InputError("an entity without a name", where=str(key))

    @classmethod
    def of_base(cls, base: KnowledgeBase) -> EntityTable:
        """Return the entities of a graph, their descriptions made of its facts.

        Example:
            >>> from kg.model import Entity
            >>> peru = Entity(key=EntityKey("c:PE"), label="Country", name="Peru")
            >>> EntityTable.of_base(KnowledgeBase.build([peru])).notes
            ('Country.',)
        """
        return cls(
            keys=base.keys,
            names=tuple(n or (str(key),) for key, n in zip(base.keys, base.names, strict=True)),
            notes=base.descriptions,
        )

    def __len__(self) -> int:
        """Return the number of entities."""
        return len(self.keys)

    def more(self, other: EntityTable) -> EntityTable:
        """Return a table with further entities at its end; what is indexed by name is kept.

        Raises:
            InputError: A key is there already.
        """
        found = EntityTable.__new__(EntityTable)  # the parts were checked when they were made
        for name in ("keys", "names", "notes"):
            object.__setattr__(found, name, (*getattr(self, name), *getattr(other, name)))
        twice = next((key for key in other.keys if key in self.ids), None)
        if twice is not None:
            raise InputError("an entity stands twice", where=str(twice))
        before = len(self)
        found.__dict__["ids"] = {**self.ids, **{k: i + before for k, i in other.ids.items()}}
        for index in ("by_name", "spellings", "_by_initials"):
            found.__dict__[index] = _with(getattr(self, index), getattr(other, index), before)
        found.__dict__["spelled"] = (*self.spelled, *other.spelled)
        found.__dict__["numbers"] = np.concatenate([self.numbers, other.numbers])
        return found

    def without(self, keys: Sequence[str]) -> EntityTable:
        """Return the table as if some entities had never been in it."""
        gone = set(keys)
        kept = [row for row, key in enumerate(self.keys) if key not in gone]
        return EntityTable(
            keys=tuple(self.keys[row] for row in kept),
            names=tuple(self.names[row] for row in kept),
            notes=tuple(self.notes[row] for row in kept),
        )

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """Id by key."""
        return {str(key): row for row, key in enumerate(self.keys)}

    @cached_property
    def spelled(self) -> tuple[tuple[str, ...], ...]:
        """Names of each entity, with those without a qualifier, each once."""
        return tuple(
            tuple(dict.fromkeys(part for name in names for part in (name, bare(name))))
            for names in self.names
        )

    @cached_property
    def spellings(self) -> Mapping[str, tuple[int, ...]]:
        """Ids by normalised name."""
        return _grouped((normalised(n), row) for row, names in enumerate(self.names) for n in names)

    @cached_property
    def by_name(self) -> Mapping[str, tuple[int, ...]]:
        """Ids by normalised name, whole or without its qualifier."""
        return _grouped(
            (normalised(n), row) for row, names in enumerate(self.spelled) for n in names
        )

    def initialled(self, letters: str) -> tuple[int, ...]:
        """Return ids of names that letters are all initials of."""
        return self._by_initials.get(letters, ())

    def abbreviated(self, letters: str) -> tuple[int, ...]:
        """Return ids of names that letters may stand for: all initials first, then some in order.

        Some initials must hold the first and the last of the name, and half of them.
        """
        whole = self._by_initials.get(letters, ())
        if not _SHORTEST < len(letters) <= _LONGEST:
            return whole
        part = [
            row
            for initials_, row in self._by_ends.get(letters[0] + letters[-1], ())
            if len(initials_) <= 2 * len(letters) and _in_order(letters, initials_)
        ]
        return tuple(dict.fromkeys((*whole, *part)))

    @cached_property
    def _by_initials(self) -> Mapping[str, tuple[int, ...]]:
        return _grouped(
            (letters, row)
            for row, names in enumerate(self.names)
            for name in names
            for letters in initials(name)
        )

    @cached_property
    def _by_ends(self) -> Mapping[str, tuple[tuple[str, int], ...]]:
        found: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for letters, rows in self._by_initials.items():
            found[letters[0] + letters[-1]] += [(letters, row) for row in rows]
        return {ends: tuple(pairs) for ends, pairs in found.items()}

    @cached_property
    def numbers(self) -> NDArray[np.float32]:
        """``(N,)`` see `number_in`."""
        return np.array([number_in(key) for key in self.keys], dtype=np.float32)


def _with(
    known: Mapping[str, tuple[int, ...]], more: Mapping[str, tuple[int, ...]], before: int
) -> dict[str, tuple[int, ...]]:
    found = dict(known)
    for name, rows in more.items():
        found[name] = (*found.get(name, ()), *(row + before for row in rows))
    return found


def _grouped(pairs: Iterable[tuple[str, int]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, dict[int, None]] = defaultdict(dict)
    for name, row in pairs:
        if name:
            found[name][row] = None
    return {name: tuple(rows) for name, rows in found.items()}
