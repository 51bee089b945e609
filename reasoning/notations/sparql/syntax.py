"""What the parser of the SPARQL fragment makes of a text; `tree` makes a query of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from reasoning.notations.conditions import Condition, PatternTest
from reasoning.notations.hops import Direction
from reasoning.query import Comparison, Scalar, Span

__all__ = [
    "Edge",
    "Group",
    "GroupTest",
    "Label",
    "Select",
    "Term",
    "TermTest",
    "Value",
]


@dataclass(frozen=True, slots=True)
class Term:
    """A subject or object: a variable, an entity or a literal.

    Attributes:
        span: Where it stands.
        variable: Its name; None if it is no variable.
        entity: Key of the entity that it names, if it names one.
        value: The literal, if it is one.
        as_day: Whether a variable is turned into a date.
    """

    span: Span
    variable: str | None = None
    entity: str | None = None
    value: Scalar | None = None
    as_day: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """``subject relation object``; a path of several hops is several edges."""

    subject: Term
    relations: tuple[str, ...]
    direction: Direction
    object: Term
    span: Span


@dataclass(frozen=True, slots=True)
class Label:
    """``subject a label``."""

    subject: Term
    label: str
    span: Span


@dataclass(frozen=True, slots=True)
class Value:
    """``subject attribute object``, the object a literal or a variable for one."""

    subject: Term
    attribute: str
    object: Term
    span: Span


@dataclass(frozen=True, slots=True)
class TermTest(PatternTest):
    """A comparison of a variable with literals or entities.

    Attributes:
        variable: Its name.
        comparison: How; `in` with several terms.
        terms: What with.
        as_day: Whether the variable is turned into a date.
    """

    variable: str
    comparison: Comparison
    terms: tuple[Term, ...]
    as_day: bool = False


@dataclass(slots=True)
class Group:
    """A group pattern ``{…}``.

    Attributes:
        span: Where it stands.
        triples: Edges, labels and values.
        filters: Conditions; they hold of the whole group.
        alternatives: Groups joined by UNION; one alone is a nested group.
        minus: Pairs of a group that is taken away and the variables that stand before it.
        values: Pairs of a variable and the terms that it may be.
    """

    span: Span
    triples: list[Edge | Label | Value] = field(default_factory=list)
    filters: list[Condition] = field(default_factory=list)
    alternatives: list[tuple[Group, ...]] = field(default_factory=list)
    minus: list[tuple[Group, frozenset[str]]] = field(default_factory=list)
    values: list[tuple[Term, tuple[Term, ...]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class GroupTest(PatternTest):
    """A condition that a group pattern has a match: EXISTS."""

    group: Group


@dataclass(frozen=True, slots=True)
class Select:
    """One query.

    Attributes:
        variables: Those that are selected.
        group: The pattern.
        limit: The most rows, if given.
        span: Of what is selected.
        column: Name of the column of a count; None where answers are asked for.
    """

    variables: tuple[str, ...]
    group: Group
    limit: int | None
    span: Span
    column: str | None = None
