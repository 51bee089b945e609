"""Conditions on the variables of a pattern, as a text notation has them."""

from __future__ import annotations

from dataclasses import dataclass

from reasoning.query import Query, Span

__all__ = [
    "Both",
    "Condition",
    "DifferenceTest",
    "Either",
    "Not",
    "PatternTest",
    "VariableTest",
    "place_of",
]


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
    """A condition that a pattern exists; each notation adds what its patterns are.

    Attributes:
        span: Where it stands.
    """

    span: Span


@dataclass(frozen=True, slots=True)
class DifferenceTest(PatternTest):
    """A condition that two variables are two entities."""

    left: str
    right: str


Condition = Both | Either | Not | VariableTest | PatternTest


def place_of(condition: Condition) -> Span:
    """Return where a condition stands, for messages."""
    match condition:
        case Not(part=part):
            return place_of(part)
        case Both(parts=parts):
            return place_of(parts[0])
        case _:
            return condition.span
