"""Key ↔ dense id, the one bridge between `EntityKey` and `EntityId`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from kg.errors import InputError

__all__ = ["Vocabulary"]

Name = TypeVar("Name", bound=str)
FEW = 1_000
"""Look-ups by halving before a dictionary of all names is worth its making."""
MANY = 200_000
"""Names above which no dictionary is made of ascending ones: of a million it takes seconds."""
STRIDE = 1_024
"""Of so many ascending names one is held, so that few are read for each look-up."""


class Vocabulary(Generic[Name]):
    """An immutable list of distinct names with their positions.

    Args:
        names: Names in the order of their ids.

    Raises:
        InputError: A name stands twice.

    Example:
        >>> words = Vocabulary(["borders", "speaks"])
        >>> words["speaks"], words.name(0)
        (1, 'borders')
    """

    __slots__ = ("_asked", "_dictionary", "_marks", "_names")

    def __init__(self, names: Iterable[Name]) -> None:
        self._names: Sequence[Name] = tuple(names)
        self._dictionary: dict[str, int] | None = None
        self._marks: list[str] | None = None
        self._asked = FEW
        if len(self._ids) != len(self._names):
            seen: set[str] = set()
            twice = next(n for n in self._names if n in seen or seen.add(n))  # type: ignore[func-returns-value]
            raise InputError(f"{twice!r} stands twice in a vocabulary")

    @classmethod
    def ascending(cls, names: Sequence[Name]) -> Vocabulary[Name]:
        """Return a vocabulary over names that are known to ascend, without reading them.

        The first look-ups halve the sequence; after a thousand a dictionary is made, or, of very
        many names, a list of some between which the others are looked for.

        Example:
            >>> Vocabulary.ascending(("borders", "speaks"))["speaks"]
            1
        """
        made = cls(())
        made._names, made._dictionary, made._asked = names, None, 0
        return made

    @property
    def _ids(self) -> dict[str, int]:
        if self._dictionary is None:
            self._dictionary = {name: place for place, name in enumerate(self._names)}
        return self._dictionary

    def _find(self, name: str) -> int | None:
        if self._asked >= FEW and not self._is_halved:
            return self._ids.get(name)
        place = self._place(name)
        return place if place < len(self._names) and self._names[place] == name else None

    @property
    def _is_halved(self) -> bool:
        return self._dictionary is None and len(self._names) > MANY

    def _place(self, name: str) -> int:
        """Return where a name stands among ascending ones, or would stand."""
        if self._asked < FEW:
            self._asked += 1
            return bisect_left(self._names, name)
        if self._marks is None:
            self._marks = [self._names[place] for place in range(0, len(self._names), STRIDE)]
        after = bisect_left(self._marks, name) * STRIDE
        before = max(0, after - STRIDE)
        return bisect_left(self._names, name, before, min(after + 1, len(self._names)))

    def __len__(self) -> int:
        """Return how many names there are."""
        return len(self._names)

    def __iter__(self) -> Iterator[Name]:
        """Iterate names in the order of their ids."""
        return iter(self._names)

    def __contains__(self, name: object) -> bool:
        """Tell whether a name is in the vocabulary."""
        return isinstance(name, str) and self._find(name) is not None

    def __getitem__(self, name: str) -> int:
        """Return the id of a name; a missing one is a `KeyError`."""
        found = self._find(name)
        if found is None:
            raise KeyError(name)
        return found

    def get(self, name: str) -> int | None:
        """Return the id of a name, or None."""
        return self._find(name)

    def name(self, position: int) -> Name:
        """Return the name at an id."""
        return self._names[position]

    @property
    def names(self) -> Sequence[Name]:
        """All names in the order of their ids."""
        return self._names

    def nearest(self, name: str, count: int = 2) -> tuple[str, ...]:
        """Return up to `count` names spelt like this one, for error messages.

        Of very many ascending names only those that begin alike are compared.
        """
        from rapidfuzz import fuzz, process

        around: Sequence[Name] = self._names
        if self._is_halved:
            place = self._place(name)
            around = self._names[max(0, place - STRIDE) : place + STRIDE]
        found = process.extract(
            name, around, scorer=fuzz.ratio, processor=str.lower, limit=count, score_cutoff=60
        )
        return tuple(known for known, *_ in found)
