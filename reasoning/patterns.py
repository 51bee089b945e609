"""Patterns: conjunctive queries with several free variables, or whose edges form a cycle.

A query tree has one free variable and no cycle, and every interpreter answers it; a pattern is the
rest of what people write down (``(a)-[:borders]->(b), (a)-[:speaks]->(l)<-[:speaks]-(b)``). It is
answered over known edges by `reasoning.joins`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kg.errors import InputError
from reasoning.query import Query, Span

__all__ = ["Pattern", "PatternEdge"]


@dataclass(frozen=True, slots=True)
class PatternEdge:
    """An edge of one of some relations between two variables.

    Attributes:
        head: Variable at its head.
        relations: Alternatives; at least one.
        tail: Variable at its tail.
        either_way: Whether it may also run from tail to head.
    """

    head: str
    relations: tuple[str, ...]
    tail: str
    either_way: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Bindings of variables that fulfil all edges and conditions.

    Attributes:
        answer: The free variables, in the order of the columns; the others only have to exist.
        edges: Edges between variables.
        conditions: Pairs of a variable and a query that it must be an answer of; a query on its own
            may be unsafe here ("not an answer of …").
        different: Pairs of variables that must be two entities.
        variables: All variables, those without edges and conditions too (they may be anything).
        span: What of the text makes it more than a tree.

    Raises:
        InputError: No free variable, or one that is not among the variables.

    Example:
        >>> pair = Pattern(("a", "b"), (PatternEdge("a", ("borders",), "b"),))
        >>> pair.variables
        ('a', 'b')
    """

    answer: tuple[str, ...]
    edges: tuple[PatternEdge, ...]
    conditions: tuple[tuple[str, Query], ...] = ()
    different: tuple[tuple[str, str], ...] = ()
    variables: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Complete the variables and refuse answers that are none."""
        named = dict.fromkeys((*self.variables, *self._used()))
        object.__setattr__(self, "variables", tuple(named))
        strangers = [name for name in self.answer if name not in named]
        if strangers or not self.answer:
            raise InputError(
                f"{strangers[0]!r} is no variable of the pattern"
                if strangers
                else "a pattern needs a free variable"
            )

    def _used(self) -> Iterator[str]:
        for edge in self.edges:
            yield from (edge.head, edge.tail)
        for name, _ in self.conditions:
            yield name
        for pair in self.different:
            yield from pair
