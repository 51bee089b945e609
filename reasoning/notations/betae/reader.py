"""Reads BetaE's nested tuples; see `reasoning.notations.betae`."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from kg.errors import InputError, LimitError, QuerySyntaxError
from kg.model import EntityKey
from reasoning.notations.cursor import Cursor
from reasoning.notations.tokens import Token, tokenise, unescaped
from reasoning.query import (
    Anchor,
    Intersection,
    Negation,
    Projection,
    Query,
    Span,
    Union,
)
from reasoning.safety import MAX_DEPTH, MAX_NODES, check_size

__all__ = ["BetaeNames", "read_betae"]

MAX_CHARS = 50_000
"""Longest text that is read; plain values are bounded by their nodes alone."""
_NEGATE, _UNITE = -2, -1

_TOKEN = re.compile(
    r"""
      (?P<space>  \s+ )
    | (?P<number> -?(?:0|[1-9][0-9]{0,17})(?![0-9]) )
    | (?P<text>   '(?:[^'\\\n]|\\.)*' | "(?:[^"\\\n]|\\.)*" )
    | (?P<symbol> [()\[\],] )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaeNames:
    """What the numbers and names of nested tuples stand for.

    Attributes:
        entities: Names of entities by number; None where a number is a name itself.
        relations: The same for relations.
        known: Relations of the graph, if it is known: one of these names is no sign and a name.
    """

    entities: Sequence[str] | None = None
    relations: Sequence[str] | None = None
    known: Container[str] | None = None

    def entity(self, given: int | str) -> EntityKey:
        """Return the key of an entity.

        Raises:
            InputError: The number has no name.
        """
        return EntityKey(_named(given, self.entities))

    def relation(self, given: int | str) -> tuple[str, bool]:
        """Return a relation and whether its inverse is meant.

        Raises:
            InputError: The number has no name.
        """
        name = _named(given, self.relations)
        known: Container[str] = () if self.known is None else self.known
        if name in known:
            return name, False
        if isinstance(given, int):
            other = given ^ 1
            if self.relations is None or other < len(self.relations):
                opposite = _named(other, self.relations)
                if opposite in known:
                    return opposite, True
            if self.relations is None:
                return name, False
        sign, rest = name[:1], name[1:]
        if sign not in ("+", "-") or not rest:
            return name, False
        return (f"+{rest}" if f"+{rest}" in known else rest), sign == "-"


def _named(given: int | str, order: Sequence[str] | None) -> str:
    if order is None or isinstance(given, str):
        return str(given)
    if not 0 <= given < len(order):
        raise InputError(f"{given} is none of {len(order)} numbered names")
    return order[given]


@dataclass(frozen=True, slots=True)
class _Part:
    """A value of the nested tuples with its place in the text, if there is one."""

    value: int | str | tuple[_Part, ...]
    span: Span | None = None


def read_betae(text_or_nested: object, names: BetaeNames | None = None) -> Query:
    """Read nested tuples, as a text or as plain tuples or lists.

    Args:
        text_or_nested: The query.
        names: What its numbers stand for; themselves by default.

    Raises:
        QuerySyntaxError: It is no nested tuple, or no query; line and column are given for a text.
        InputError: A number has no name.
        LimitError: It is too long, too deep or too large.

    Example:
        >>> read_betae("('language:ara', ('-speaks',))")
        Projection(relation='speaks', child=Anchor(entity='language:ara'), inverse=True)
    """
    if isinstance(text_or_nested, str):
        part = _parsed(text_or_nested)
    else:
        part = _converted(text_or_nested, 0)
    tree = _Reader(names or BetaeNames()).node(part)
    check_size(tree)
    return tree


def _parsed(text: str) -> _Part:
    if len(text) > MAX_CHARS:
        raise LimitError(f"a query in tuples has more than {MAX_CHARS} characters")
    cursor = Cursor(tokenise(text, _TOKEN, _token), deepest=2 * MAX_DEPTH)
    part = _part(cursor)
    if cursor.peek().kind != "end":
        raise cursor.wrong("the end of the query")
    return part


def _token(found: re.Match[str], span: Span) -> Token:
    text = found.group()
    match found.lastgroup:
        case "text":
            return Token("text", unescaped(text[1:-1], span), span)
        case "number":
            return Token("number", text, span)
        case _:
            return Token("symbol", text, span)


def _part(cursor: Cursor) -> _Part:
    token = cursor.take()
    if token.kind == "text":
        return _Part(token.text, token.span)
    if token.kind == "number":
        return _Part(int(token.text), token.span)
    if not token.is_symbol("(", "["):
        cursor.back()
        raise cursor.wrong("a tuple, a name or a number")
    cursor.enter()
    closing = {"(": ")", "[": "]"}[token.text]
    parts: list[_Part] = []
    while not cursor.accept(closing):
        parts.append(_part(cursor))
        if not cursor.accept(","):
            cursor.expect(closing, "or a comma")
            if len(parts) == 1 and closing == ")":
                cursor.leave()
                return parts[0]  # brackets without a comma, as Python reads them
            break
    cursor.leave()
    return _Part(tuple(parts), token.span)


def _converted(value: object, depth: int) -> _Part:
    if depth > MAX_DEPTH:
        raise LimitError(f"a query is nested deeper than {MAX_DEPTH}", hint="ask it in parts")
    if isinstance(value, tuple | list):
        if len(value) > MAX_NODES:
            raise LimitError(f"a query has more than {MAX_NODES} nodes", hint="ask it in parts")
        return _Part(tuple(_converted(item, depth + 1) for item in value))
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise QuerySyntaxError(f"{value!r:.80} is no name, no number and no tuple")
    return _Part(value)


class _Reader:
    """Makes nodes of parts."""

    def __init__(self, names: BetaeNames) -> None:
        self._names = names

    def node(self, part: _Part) -> Query:
        if not isinstance(part.value, tuple) or len(part.value) < 2:
            raise _wrong(part, "(start, (steps…)) or at least two nested queries were expected")
        steps = part.value[1].value
        if len(part.value) == 2 and isinstance(steps, tuple) and _are_steps(steps):
            return self._path(part.value[0], steps)
        last = part.value[-1].value
        if isinstance(last, tuple) and [step.value for step in last] == [_UNITE]:
            return Union(self._several(part, part.value[:-1]), part.span)
        return Intersection(self._several(part, part.value), part.span)

    def _several(self, part: _Part, branches: Sequence[_Part]) -> tuple[Query, ...]:
        if len(branches) < 2:
            raise _wrong(part, "a union of at least two nested queries was expected")
        return tuple(map(self.node, branches))

    def _path(self, start: _Part, steps: tuple[_Part, ...]) -> Query:
        node: Query
        if isinstance(start.value, tuple):
            node = self.node(start)
        elif start.value == "":
            raise _wrong(start, "an entity was expected")
        else:
            node = Anchor(self._names.entity(start.value), start.span)
        for step in steps:
            if step.value == _NEGATE:
                node = Negation(node, step.span)
            elif isinstance(step.value, tuple) or step.value in (_UNITE, ""):
                raise _wrong(step, "a relation or -2 was expected")
            else:
                name, inverse = self._names.relation(step.value)
                node = Projection(name, node, inverse, step.span)
        return node


def _are_steps(parts: tuple[_Part, ...]) -> bool:
    """Tell the steps of a path from a nested query: they are names and numbers, and no union."""
    values = [part.value for part in parts]
    return values != [_UNITE] and not any(isinstance(value, tuple) for value in values)


def _wrong(part: _Part, what: str) -> QuerySyntaxError:
    span = part.span
    return QuerySyntaxError(
        f"{_shown(part)} stands here, but {what}",
        position=None if span is None else span.start,
        line=None if span is None else span.line,
        column=None if span is None else span.column,
    )


def _shown(part: _Part) -> str:
    if isinstance(part.value, tuple):
        return "an empty tuple" if not part.value else f"a tuple of {len(part.value)}"
    return f"{part.value!r:.40}"
