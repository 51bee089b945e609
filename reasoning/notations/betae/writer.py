"""Writes a query tree as BetaE's nested tuples; see `reasoning.notations.betae`."""

from __future__ import annotations

import re
from typing import Any, assert_never

from reasoning.notations.tokens import ESCAPES
from reasoning.notations.values import unsupported
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    SoftAnchor,
    Union,
)
from reasoning.safety import check_size, describe

__all__ = ["nested_tuples", "write_betae"]

_NEGATE, _UNITE = -2, -1
_NUMERAL = re.compile(r"0|[1-9][0-9]{0,17}")


def write_betae(tree: Query) -> str:
    """Return a query as a text of nested tuples; `read_betae` gives an equal tree back.

    Raises:
        UnsupportedQueryError: A label, a comparison or a soft anchor, which the notation lacks.
        LimitError: The tree is too deep or too large.

    Example:
        >>> from kg.model import EntityKey
        >>> write_betae(Projection("speaks", Anchor(EntityKey("language:ara")), inverse=True))
        "('language:ara', ('-speaks',))"
    """
    return _text_of(nested_tuples(tree))


_ESCAPED = str.maketrans({letter: f"\\{name}" for name, letter in ESCAPES.items() if name != '"'})


def _text_of(value: int | str | tuple[Any, ...]) -> str:
    if isinstance(value, tuple):
        inner = ", ".join(map(_text_of, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return f"'{value.translate(_ESCAPED)}'" if isinstance(value, str) else str(value)


def nested_tuples(tree: Query) -> tuple[Any, ...]:
    """Return a query as plain nested tuples; names that are whole numbers become numbers.

    Raises:
        UnsupportedQueryError: A label, a comparison or a soft anchor, which the notation lacks.
        LimitError: The tree is too deep or too large.

    Example:
        >>> from kg.model import EntityKey
        >>> nested_tuples(Projection("182", Anchor(EntityKey("62773"))))
        (62773, (182,))
    """
    check_size(tree)
    return _written(tree)


def _written(node: Query) -> tuple[Any, ...]:
    match node:
        case Anchor(entity=key):
            return (_number_or_text(key), ())
        case Projection() | Negation():
            return _path_of(node)
        case Intersection(children=branches):
            return tuple(map(_written, branches))
        case Union(children=branches):
            return (*map(_written, branches), (_UNITE,))
        case SoftAnchor() | Labelled() | Compare():
            raise unsupported(
                f"nested tuples cannot say ({describe(node)})",
                node.span,
                "write it as JSON",
            )
        case _:
            assert_never(node)


def _path_of(node: Query) -> tuple[Any, ...]:
    steps: list[int | str] = []
    while isinstance(node, Projection | Negation):
        steps.append(_NEGATE if isinstance(node, Negation) else _step(node))
        node = node.child
    start = _number_or_text(node.entity) if isinstance(node, Anchor) else _written(node)
    return (start, tuple(reversed(steps)))


def _step(node: Projection) -> int | str:
    if node.inverse:
        return f"-{node.relation}"
    signed = node.relation[:1] in ("+", "-")
    return f"+{node.relation}" if signed else _number_or_text(node.relation)


def _number_or_text(name: str) -> int | str:
    return int(name) if _NUMERAL.fullmatch(name) else name
