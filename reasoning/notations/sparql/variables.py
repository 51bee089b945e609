"""The variables of a SPARQL group pattern."""

from __future__ import annotations

from collections.abc import Iterator

from reasoning.notations.conditions import Both, Condition, DifferenceTest, Either, Not
from reasoning.notations.sparql.syntax import Edge, Group, GroupTest, Term, TermTest, Value

__all__ = ["bound_variables", "named_variables"]


def bound_variables(group: Group, *, without: tuple[Group, ...] = ()) -> frozenset[str]:
    """Return the variables that matches of a group bind; those of EXISTS and MINUS are not bound.

    Args:
        group: The group.
        without: Alternatives of it that are left out.
    """
    return frozenset(_bound(group, without))


def named_variables(group: Group) -> frozenset[str]:
    """Return all variables that a group names, inside of conditions too."""
    return frozenset(_named(group))


def _bound(group: Group, without: tuple[Group, ...]) -> Iterator[str]:
    for triple in group.triples:
        yield from _names(triple.subject)
        if isinstance(triple, Edge | Value):
            yield from _names(triple.object)
    for variable, _ in group.values:
        yield from _names(variable)
    for parts in group.alternatives:
        if parts is not without:
            for part in parts:
                yield from _bound(part, ())


def _named(group: Group) -> Iterator[str]:
    yield from _bound(group, ())
    for parts in group.alternatives:
        for part in parts:
            yield from _named(part)
    for part, _ in group.minus:
        yield from _named(part)
    for condition in group.filters:
        yield from _in_condition(condition)


def _in_condition(condition: Condition) -> Iterator[str]:
    match condition:
        case Not(part=part):
            yield from _in_condition(part)
        case Both(parts=parts) | Either(parts=parts):
            for part in parts:
                yield from _in_condition(part)
        case TermTest(variable=variable):
            yield variable
        case DifferenceTest(left=left, right=right):
            yield from (left, right)
        case GroupTest(group=group):
            yield from _named(group)
        case _:
            return


def _names(term: Term) -> Iterator[str]:
    if term.variable is not None:
        yield term.variable
