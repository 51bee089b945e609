"""Comparisons of a text as query nodes, with their opposites in three-valued logic.

In Cypher and SPARQL a comparison with a missing attribute is neither true nor false, so
``NOT n.size > 3`` does not hold for an entity without a size. A tree's negation has two values. So
NOT is never translated by a negation of a comparison, but by the comparison that is true where this
one is false.
"""

from __future__ import annotations

from kg.errors import UnsupportedQueryError
from kg.model import EntityKey
from reasoning.normal_form import EVERYTHING
from reasoning.notations.tokens import Token
from reasoning.query import (
    Anchor,
    Compare,
    Comparison,
    Date,
    Intersection,
    Negation,
    Query,
    Scalar,
    Span,
    Union,
    is_day,
)

__all__ = [
    "comparison_nodes",
    "day_of",
    "everything",
    "flipped",
    "number_of",
    "presence",
    "unsupported",
]

_INT64 = 2**63

_OPPOSITES: dict[Comparison, Comparison] = {
    "=": "<>",
    "<>": "=",
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
}
_FLIPPED: dict[str, Comparison] = {
    "=": "=",
    "<>": "<>",
    "<": ">",
    ">": "<",
    "<=": ">=",
    ">=": "<=",
}
_ORDERED = ("<", "<=", ">", ">=")
_TEXTS = ("contains", "starts with", "ends with")


def everything(span: Span) -> Query:
    """Return what a node about which nothing is said is read as: true of every entity."""
    return Compare(EVERYTHING.attribute, EVERYTHING.comparison, EVERYTHING.value, span)


def flipped(comparison: str) -> Comparison | None:
    """Return the comparison with its sides exchanged, or None if it has no such form."""
    return _FLIPPED.get(comparison)


def comparison_nodes(
    attribute: str,
    comparison: Comparison,
    value: Scalar | tuple[Scalar, ...],
    span: Span,
    *,
    as_day: bool = False,
) -> tuple[Query, Query]:
    """Return the entities for which a comparison is true, and those for which it is false.

    ``key = 'x'`` is an anchor: a key names one entity.

    Args:
        attribute: Of the entity.
        comparison: How.
        value: With what; a tuple for ``in``.
        span: Where it stands.
        as_day: Whether the text turns the attribute into a date first.

    Raises:
        UnsupportedQueryError: Two kinds of values that this comparison never compares.
    """
    _check_value(comparison, value, span)
    _check_days(comparison, value, span, as_day=as_day)
    true: Query = Compare(attribute, comparison, value, span)
    if attribute == "key" and isinstance(value, str):
        anchor = Anchor(EntityKey(value), span)
        if comparison == "=":
            return anchor, Negation(anchor, span)
        if comparison == "<>":
            return true, anchor
    opposite = _OPPOSITES.get(comparison)
    if opposite is not None:
        return true, Compare(attribute, opposite, value, span)
    if comparison == "in":
        options = value if isinstance(value, tuple) else (value,)
        different = tuple(Compare(attribute, "<>", option, span) for option in options)
        return true, different[0] if len(different) == 1 else Intersection(different, span)
    is_text = Compare(attribute, "starts with", "", span)
    return true, Intersection((is_text, Negation(true, span)), span)


def presence(attribute: str, span: Span) -> Query:
    """Return the entities that have an attribute: it is equal or unequal to any one value."""
    return Union((Compare(attribute, "=", "", span), Compare(attribute, "<>", "", span)), span)


def _check_value(comparison: Comparison, value: Scalar | tuple[Scalar, ...], span: Span) -> None:
    if comparison == "in" and value == ():
        raise unsupported("IN with an empty list is never true", span, "leave the condition out")
    if comparison == "in" and not isinstance(value, tuple):
        raise unsupported("IN takes a list", span, "put the value in brackets: IN ['…']")
    if comparison in _ORDERED and isinstance(value, tuple):
        raise unsupported("lists have no order here", span, "compare with = or <>")
    if comparison in _TEXTS and not isinstance(value, str | Date):
        raise unsupported(f"{comparison.upper()} takes a text", span, "put it in quotes")


def _check_days(
    comparison: Comparison, value: Scalar | tuple[Scalar, ...], span: Span, *, as_day: bool
) -> None:
    values = value if isinstance(value, tuple) else (value,)
    if any(isinstance(part, Date) != as_day for part in values):
        raise unsupported(
            "a date is compared with a value of another kind, which is never true",
            span,
            "turn both sides into dates",
        )
    if as_day and (comparison in _TEXTS or (comparison != "in" and isinstance(value, tuple))):
        raise unsupported(f"{comparison.upper()} takes no date", span)


def day_of(text: str, span: Span) -> Date:
    """Return the day that a text says.

    Raises:
        UnsupportedQueryError: It says none.
    """
    if not is_day(text):
        raise unsupported(f"{text[:40]!r} is no day", span, "write YYYY-MM-DD")
    return Date(text)


def unsupported(what: str, span: Span | None, hint: str | None = None) -> UnsupportedQueryError:
    """Return the refusal of something at a place of a text, if there is one."""
    return UnsupportedQueryError(
        what,
        position=None if span is None else span.start,
        line=None if span is None else span.line,
        column=None if span is None else span.column,
        hint=hint,
    )


def number_of(token: Token) -> int | float:
    """Return the value of a number without a sign.

    Raises:
        UnsupportedQueryError: It does not fit 64 bits.
    """
    if not token.text.isdecimal() or not token.text.isascii():
        number = float(token.text)
        if number in (float("inf"), float("-inf")):
            raise unsupported("a number is too large", token.span)
        return number
    if len(token.text) > 1 and token.text.startswith("0"):
        raise unsupported("a number starts with 0", token.span, "leave the 0 out")
    if len(token.text) > len(str(_INT64)) or int(token.text) >= _INT64:
        raise unsupported("a whole number does not fit 64 bits", token.span)
    return int(token.text)
