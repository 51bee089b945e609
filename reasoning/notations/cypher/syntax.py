"""What the parser of the Cypher fragment makes of a text; `cypher_tree` makes a query of it."""

from __future__ import annotations

from dataclasses import dataclass

from reasoning.notations.conditions import Condition, PatternTest
from reasoning.notations.hops import Direction
from reasoning.query import Query, Span

__all__ = [
    "ExistsTest",
    "HopText",
    "MatchText",
    "NodeText",
    "PathText",
    "SelectText",
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
    direction: Direction
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
class ExistsTest(PatternTest):
    """A condition that a pattern exists.

    Attributes:
        match: The pattern.
        names_variables: Whether it may introduce variables (EXISTS {…}), or only use them.
    """

    match: tuple[MatchText, ...]
    names_variables: bool


@dataclass(frozen=True, slots=True)
class SelectText:
    """One query: MATCH clauses and what is returned.

    Attributes:
        matches: In the order of the text; at least one.
        variables: Those that are returned, each once.
        columns: Name and property (None for the entity itself) of each column.
        limit: The most rows, if given.
        span: Of what is returned.
        counted: Whether the number of answers is asked for.
    """

    matches: tuple[MatchText, ...]
    variables: tuple[str, ...]
    columns: tuple[tuple[str, str | None], ...]
    limit: int | None
    span: Span
    counted: bool = False
