"""The precedence that text notations share in conditions: OR over AND over NOT over an atom."""

from __future__ import annotations

from collections.abc import Callable

from reasoning.notations.conditions import Both, Condition, Either, Not
from reasoning.notations.cursor import Cursor
from reasoning.notations.tokens import spanned

__all__ = ["joined_condition"]

Took = Callable[[], bool]
"""Takes an operator if it comes next, and tells whether it did."""


def joined_condition(
    cursor: Cursor, *, either: Took, both: Took, negation: Took, atom: Callable[[], Condition]
) -> Condition:
    """Take a condition from a cursor.

    Args:
        cursor: Where the text is read.
        either: Takes the notation's OR.
        both: Takes its AND.
        negation: Takes its NOT.
        atom: Takes what stands between the operators.
    """

    def negated() -> Condition:
        negative = False
        while negation():
            negative = not negative
        part = atom()
        return Not(part) if negative else part

    def all_of() -> Condition:
        parts = [negated()]
        while both():
            parts.append(negated())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    start = cursor.peek().span
    parts = [all_of()]
    while either():
        parts.append(all_of())
    span = spanned(start, cursor.last.span)
    return parts[0] if len(parts) == 1 else Either(tuple(parts), span)
