"""The typed query tree: a set of entities described by how to reach it; frozen, hashable.

A query has one free variable (its root). Notations read and write it, the normal form rearranges
it, interpreters fold over it. Structure names (1p … pni) are computed by `structure_name`, never
stored. First-order logic with one free variable and no universal quantifier, as in BetaE
(arXiv 2010.11465), with labels and comparisons on attributes besides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, assert_never

from kg.errors import InputError
from kg.model import EntityKey

__all__ = [
    "Anchor",
    "Compare",
    "Comparison",
    "Date",
    "Intersection",
    "Labelled",
    "Negation",
    "Projection",
    "Query",
    "SoftAnchor",
    "Span",
    "Union",
    "children",
    "is_day",
    "relations_of",
    "structure_name",
    "walk",
]

Comparison = Literal["=", "<>", "<", "<=", ">", ">=", "contains", "starts with", "ends with", "in"]
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True, order=True)
class Date:
    """A day to compare an attribute with; the attribute holds it as a text, year first.

    Attributes:
        text: ``YYYY-MM-DD``, as ISO 8601 writes a day.

    Raises:
        InputError: It is no day of the calendar.

    Example:
        >>> Date("1960-08-11") < Date("1962-07-05")
        True
    """

    text: str

    def __post_init__(self) -> None:
        """Refuse what is no day."""
        if not is_day(self.text):
            raise InputError(f"{self.text!r:.60} is no day", hint="write YYYY-MM-DD")


def is_day(text: object) -> bool:
    """Tell whether a value is a text of a day, ``YYYY-MM-DD``; such texts order as days do."""
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


Scalar = str | int | float | bool | Date


@dataclass(frozen=True, slots=True)
class Span:
    """Where a node stands in the text that it was read from.

    Attributes:
        start: First character, 0-based.
        end: One past the last character.
        line: 1-based line of `start`.
        column: 1-based column of `start`.
    """

    start: int
    end: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """One given entity."""

    entity: EntityKey
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SoftAnchor:
    """One given entity that is not known for sure: an image, a text, a mention with candidates.

    A fuzzy set. A candidate counts as known if its membership is at least the known probability
    (0.9), as an edge does; a weaker one leads to likely answers only.

    Attributes:
        candidates: Keys, each once, with their memberships in (0, 1].

    Raises:
        InputError: No candidate, one twice, or a membership outside (0, 1].

    Example:
        >>> SoftAnchor(((EntityKey("country:AL"), 0.7), (EntityKey("country:GR"), 0.2))).candidates
        (('country:AL', 0.7), ('country:GR', 0.2))
    """

    candidates: tuple[tuple[EntityKey, float], ...]
    span: Span | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse what is no fuzzy set."""
        if not self.candidates:
            raise InputError("a soft anchor needs at least one candidate")
        seen: set[EntityKey] = set()
        for key, membership in self.candidates:
            if key in seen:
                raise InputError(f"the candidate {key!r:.60} stands twice in a soft anchor")
            if not 0.0 < membership <= 1.0:
                raise InputError(
                    f"the membership {membership!r:.60} of {key!r:.60} lies outside (0, 1]"
                )
            seen.add(key)


@dataclass(frozen=True, slots=True)
class Labelled:
    """All entities of a label."""

    label: str
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """All entities whose attribute compares so with a value; one without the attribute never does.

    ``name`` and ``key`` are attributes of every entity. ``in`` takes a tuple. With a `Date` the
    attribute is read as a day; a text that is none never compares.
    """

    attribute: str
    comparison: Comparison
    value: Scalar | tuple[Scalar, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Projection:
    """Entities that an edge of `relation` reaches from the child's entities.

    With `inverse`, entities from which such an edge reaches the child's.
    """

    relation: str
    child: Query
    inverse: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Intersection:
    """Entities in all children; at least two.

    Raises:
        InputError: Fewer than two children.
    """

    children: tuple[Query, ...]
    span: Span | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse an intersection of nothing."""
        _need_two(self.children, "an intersection")


@dataclass(frozen=True, slots=True)
class Union:
    """Entities in any child; at least two.

    Raises:
        InputError: Fewer than two children.
    """

    children: tuple[Query, ...]
    span: Span | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse a union of nothing."""
        _need_two(self.children, "a union")


@dataclass(frozen=True, slots=True)
class Negation:
    """Entities that are not in the child; safe only beside a positive branch."""

    child: Query
    span: Span | None = field(default=None, compare=False, repr=False)


Query = Anchor | SoftAnchor | Labelled | Compare | Projection | Intersection | Union | Negation


def _need_two(nodes: tuple[Query, ...], what: str) -> None:
    if len(nodes) < 2:
        raise InputError(f"{what} needs at least two branches, got {len(nodes)}")


def children(node: Query) -> tuple[Query, ...]:
    """Return the children of a node, none for a leaf."""
    match node:
        case Anchor() | SoftAnchor() | Labelled() | Compare():
            return ()
        case Projection(child=child) | Negation(child=child):
            return (child,)
        case Intersection(children=branches) | Union(children=branches):
            return branches
        case _:
            assert_never(node)


def walk(node: Query) -> Iterator[Query]:
    """Iterate a node and all below it, parents first."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(children(current)))


def relations_of(node: Query) -> frozenset[str]:
    """Return the relations that a query uses."""
    return frozenset(part.relation for part in walk(node) if isinstance(part, Projection))


_NAMES = {
    "p(e)": "1p",
    "p(p(e))": "2p",
    "p(p(p(e)))": "3p",
    "i(p(e),p(e))": "2i",
    "i(p(e),p(e),p(e))": "3i",
    "i(p(e),p(p(e)))": "pi",
    "p(i(p(e),p(e)))": "ip",
    "u(p(e),p(e))": "2u",
    "p(u(p(e),p(e)))": "up",
    "i(n(p(e)),p(e))": "2in",
    "i(n(p(e)),p(e),p(e))": "3in",
    "p(i(n(p(e)),p(e)))": "inp",
    "i(n(p(e)),p(p(e)))": "pin",
    "i(n(p(p(e))),p(e))": "pni",
}


def structure_name(node: Query) -> str | None:
    """Return the field's name of a query's structure (1p … pni), or None where it has none.

    The order of branches does not matter; labels and comparisons have no name in the field.

    Example:
        >>> structure_name(Projection("speaks", Anchor(EntityKey("language:ara")), inverse=True))
        '1p'
    """
    return _NAMES.get(_shape(node))


def _shape(node: Query) -> str:
    match node:
        case Anchor() | SoftAnchor():
            return "e"
        case Labelled() | Compare():
            return "filter"
        case Projection(child=child):
            return f"p({_shape(child)})"
        case Negation(child=child):
            return f"n({_shape(child)})"
        case Intersection(children=branches):
            return f"i({','.join(sorted(map(_shape, branches)))})"
        case Union(children=branches):
            return f"u({','.join(sorted(map(_shape, branches)))})"
        case _:
            assert_never(node)
