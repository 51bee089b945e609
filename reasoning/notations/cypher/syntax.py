"""What the parser of the Cypher fragment makes of a text; `cypher_tree` makes a query of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reasoning.query import Query, Span

__all__ = [
    "Both",
    "Condition",
    "Either",
    "HopText",
    "MatchText",
    "NodeText",
    "Not",
    "PathText",
    "PatternTest",
    "SelectText",
    "VariableTest",
]


@dataclass(frozen=True, slots=True)
class NodeText:
    """A node of a pattern: ``(variable:Label {name: 'value'})``.

    Attributes:
        variable: None for one without a name.
        constraints: Its labels and properties.
        span: Where it stands.
    """

    variable: str | None
    constraints: tuple[Query, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class HopText:
    """A relationship of a pattern: ``-[:a|b]->``.

    Attributes:
        relations: Alternatives; at least one.
        direction: `out` for ``->``, `in` for ``<-``, `both` for neither.
        span: Where it stands.
    """

    relations: tuple[str, ...]
    direction: Literal["out", "in", "both"]
    span: Span


@dataclass(frozen=True, slots=True)
class PathText:
    """Nodes with a hop between each two."""

    nodes: tuple[NodeText, ...]
    hops: tuple[HopText, ...]


@dataclass(frozen=True, slots=True)
class MatchText:
    """A MATCH clause: its relationships are all different, as Cypher demands."""

    paths: tuple[PathText, ...]
    where: Condition | None


@dataclass(frozen=True, slots=True)
class Both:
    """Conditions joined by AND."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Conditions joined by OR."""

    parts: tuple[Condition, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    part: Condition


@dataclass(frozen=True, slots=True)
class VariableTest:
    """A condition on one variable.

    Attributes:
        variable: Its name.
        query: The entities for which the condition is true.
        opposite: Those for which it is false; for some it is neither (no such attribute).
        span: Where it stands.
    """

    variable: str
    query: Query
    opposite: Query
    span: Span


@dataclass(frozen=True, slots=True)
class PatternTest:
    """A condition that a pattern exists.

    Attributes:
        match: The pattern.
        names_variables: Whether it may introduce variables (EXISTS {…}), or only use them.
        span: Where it stands.
    """

    match: tuple[MatchText, ...]
    names_variables: bool
    span: Span


Condition = Both | Either | Not | VariableTest | PatternTest


@dataclass(frozen=True, slots=True)
class SelectText:
    """One query: MATCH clauses and what is returned.

    Attributes:
        matches: In the order of the text; at least one.
        variable: The one that is returned.
        columns: Name and property (None for the entity itself) of each column.
        limit: The most rows, if given.
        span: Of the returned variable.
    """

    matches: tuple[MatchText, ...]
    variable: str
    columns: tuple[tuple[str, str | None], ...]
    limit: int | None
    span: Span
