"""Writes a query tree as Cypher that returns its answers from a store and reads back as the tree.

Each hop stands in a MATCH clause of its own, since Cypher lets no edge be used twice in one. What
the fragment cannot say is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import assert_never

from kg.backends.names import BASE_LABEL
from kg.errors import UnsupportedQueryError
from reasoning.normal_form import EVERYTHING, normalise
from reasoning.query import (
    Anchor,
    Compare,
    Date,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Scalar,
    SoftAnchor,
    Union,
)
from reasoning.safety import check_safe, describe

__all__ = ["write_cypher"]

_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_RESERVED = frozenset({"exists", "coalesce", "not", "true", "false", "null", "where", "all"})
_ESCAPED = {
    "\\": "\\\\",
    "'": "\\'",
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\b": "\\b",
    "\f": "\\f",
}


def write_cypher(tree: Query, *, limit: int | None = None) -> str:
    """Return a text that returns the keys of the answers; it reads back as an equal normal form.

    A comparison ``key = 'x'`` reads back as an anchor.

    Args:
        tree: A safe query.
        limit: The most rows; only where the query is no union.

    Raises:
        UnsafeQueryError: The query is unsafe.
        UnsupportedQueryError: The fragment cannot say it.
        LimitError: The tree is too deep or too large.

    Example:
        >>> from kg.model import EntityKey
        >>> write_cypher(Projection("borders", Anchor(EntityKey("country:AL"))))
        "MATCH (a)<-[:borders]-(b {key: 'country:AL'}) RETURN DISTINCT a.key AS key"
    """
    check_safe(tree)
    normal = normalise(tree)
    branches = normal.children if isinstance(normal, Union) else (normal,)
    if limit is not None and len(branches) > 1:
        raise UnsupportedQueryError("a UNION takes no LIMIT here", hint="leave the limit out")
    text = " UNION ".join(f"{_select(branch)} RETURN DISTINCT a.key AS key" for branch in branches)
    return text if limit is None else f"{text} LIMIT {limit}"


def _select(tree: Query) -> str:
    clauses: list[str] = []
    conditions: list[str] = []
    _match("a", tree, _names(), clauses, conditions)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"{' '.join(clauses)}{where}"


def _names() -> Iterator[str]:
    """Iterate fresh variables: b to z, then v1, v2 and so on."""
    yield from "bcdefghijklmnopqrstuvwxyz"
    for number in count(1):
        yield f"v{number}"


def _match(
    name: str,
    tree: Query,
    fresh: Iterator[str],
    clauses: list[str],
    conditions: list[str],
    arrow: str = "",
) -> None:
    """Add the MATCH clauses of a node and of what it is connected with.

    Args:
        name: Its variable.
        tree: What it must be.
        fresh: New variables.
        clauses: Grows.
        conditions: Grows by what cannot stand in a clause.
        arrow: The relationship that leads to the node, with the variable before it.
    """
    parts = tree.children if isinstance(tree, Intersection) else (tree,)
    inline = _inline(parts)
    if arrow or inline or not any(isinstance(part, Projection) for part in parts):
        clauses.append(f"MATCH {arrow}({name}{_node_text(inline)})")
    for part in parts:
        if isinstance(part, Projection):
            step = f"({name}){_arrow(part)}"
            _match(next(fresh), part.child, fresh, clauses, conditions, step)
        elif not any(part is said for said in inline) and part != EVERYTHING:
            conditions.append(_condition(name, part, fresh))
    if any(part == EVERYTHING for part in parts) and len(parts) > 1:
        conditions.append(_condition(name, EVERYTHING, fresh))


def _inline(parts: tuple[Query, ...]) -> list[Query]:
    """Return the first label and the first anchor: they stand in the node's pattern."""
    firsts: list[Query] = []
    for kind in (Labelled, Anchor):
        firsts.extend([part for part in parts if isinstance(part, kind)][:1])
    return firsts


def _node_text(inline: list[Query]) -> str:
    text = ""
    for part in inline:
        match part:
            case Labelled(label=label):
                text += f":{_label(label)}"
            case Anchor(entity=key):
                text += f" {{key: {_literal(key)}}}"
            case _:
                continue
    return text


def _arrow(node: Projection) -> str:
    relation = _name(node.relation)
    return f"-[:{relation}]->" if node.inverse else f"<-[:{relation}]-"


def _condition(name: str, node: Query, fresh: Iterator[str], *, holds: bool = True) -> str:
    """Return a node, or its opposite, as a condition on a variable.

    NOT stands only before a single test: below a NOT, a comparison that is neither true nor false
    would be lost, and `coalesce` makes it false; and some parsers read ``NOT (a:…`` as a pattern.
    """
    match node:
        case Anchor(entity=key):
            test = f"{name}.key = {_literal(key)}"
        case SoftAnchor():
            raise UnsupportedQueryError(
                f"Cypher has no memberships ({describe(node)})", hint="use the JSON notation"
            )
        case Labelled(label=label):
            test = f"{name}:{_label(label)}"
        case Compare():
            test = _comparison(name, node)
            test = test if holds else f"coalesce({test}, false)"
        case Projection():
            test = _exists(name, node, fresh)
        case Negation(child=child):
            return _condition(name, child, fresh, holds=not holds)
        case Intersection(children=branches) | Union(children=branches):
            parts = [_condition(name, branch, fresh, holds=holds) for branch in branches]
            word = " AND " if isinstance(node, Intersection) == holds else " OR "
            return f"({word.join(parts)})"
        case _:
            assert_never(node)
    return test if holds else f"NOT {test}"


def _exists(name: str, node: Projection, fresh: Iterator[str]) -> str:
    clauses: list[str] = []
    conditions: list[str] = []
    step = f"({name}){_arrow(node)}"
    _match(next(fresh), node.child, fresh, clauses, conditions, step)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"EXISTS {{ {' '.join(clauses)}{where} }}"


def _comparison(name: str, node: Compare) -> str:
    if node.comparison == "in" and node.value == ():
        raise UnsupportedQueryError("Cypher's IN needs at least one value here")
    words = node.comparison.upper()
    left = f"{name}.{_name(node.attribute)}"
    if any(isinstance(part, Date) for part in _parts(node.value)):
        left = f"date({left})"
    return f"{left} {words} {_value(node.value)}"


def _parts(value: Scalar | tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    return value if isinstance(value, tuple) else (value,)


def _value(value: Scalar | tuple[Scalar, ...]) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    return _literal(value)


def _literal(value: Scalar) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{''.join(_ESCAPED.get(letter, letter) for letter in value)}'"
        case Date(text=text):
            return f"date('{text}')"
        case float():
            if value != value or value in (float("inf"), float("-inf")):
                raise UnsupportedQueryError(f"{value} cannot be written in Cypher")
            return repr(value)
        case int():
            if abs(value) >= 2**63:
                raise UnsupportedQueryError(f"{value} does not fit Cypher's whole numbers")
            return repr(value)


def _label(label: str) -> str:
    if label == BASE_LABEL:
        raise UnsupportedQueryError(
            f"the label {BASE_LABEL} means every entity in Cypher", hint="use the JSON notation"
        )
    return _name(label)


def _name(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name) and name.lower() not in _RESERVED:
        return name
    if not name or "\x00" in name or "\\" in name:
        raise UnsupportedQueryError(f"{name!r} cannot be written as a name in Cypher")
    return f"`{name.replace('`', '``')}`"
