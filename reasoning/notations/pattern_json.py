"""Patterns (several free variables, cycles) as plain values for JSON.

An object::

    {"select": ["a", "b"],
     "edges": [{"head": "a", "relations": ["borders"], "tail": "b", "either_way": true}],
     "conditions": [{"variable": "a", "is": {…a query…}}],
     "different": [["a", "b"]]}

Only "select" must be there. With "either_way" an edge may run both ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kg.errors import InputError, LimitError, QuerySyntaxError
from reasoning.notations.json import read_json, write_json
from reasoning.patterns import Pattern, PatternEdge
from reasoning.query import Query
from reasoning.safety import MAX_NODES

__all__ = ["is_pattern", "read_pattern", "write_pattern"]

_FIELDS = ("select", "edges", "conditions", "different", "variables")


def is_pattern(value: object) -> bool:
    """Tell a pattern from a query tree."""
    return isinstance(value, Mapping) and "select" in value


def read_pattern(value: Mapping[str, Any]) -> Pattern:
    """Read a pattern from plain values.

    Raises:
        QuerySyntaxError: It is none; the path says where.
        LimitError: It has too many edges or conditions.

    Example:
        >>> read_pattern({"select": ["a"], "edges": [
        ...     {"head": "a", "relations": ["borders"], "tail": "a"}]}).answer
        ('a',)
    """
    for name in value:
        if name not in _FIELDS:
            raise _wrong("", f"the field {name!r:.60} does not belong to a pattern")
    edges = _items(value.get("edges", ()), "/edges")
    conditions = _items(value.get("conditions", ()), "/conditions")
    try:
        return Pattern(
            answer=_names(value["select"], "/select"),
            edges=tuple(_edge(item, f"/edges/{i}") for i, item in enumerate(edges)),
            conditions=tuple(
                _condition(item, f"/conditions/{i}") for i, item in enumerate(conditions)
            ),
            different=_pairs(value.get("different", ()), "/different"),
            variables=_names(value.get("variables", ()), "/variables"),
        )
    except QuerySyntaxError:
        raise
    except InputError as error:
        raise _wrong("", error.what) from error


def _pairs(value: object, path: str) -> tuple[tuple[str, str], ...]:
    pairs = [_names(item, f"{path}/{i}") for i, item in enumerate(_items(value, path))]
    for i, pair in enumerate(pairs):
        if len(pair) != 2:
            raise _wrong(f"{path}/{i}", "two variables were expected")
    return tuple((pair[0], pair[1]) for pair in pairs)


def _edge(value: object, path: str) -> PatternEdge:
    fields = _object(value, path, ("head", "relations", "tail"), ("either_way",))
    either_way = fields.get("either_way", False)
    if not isinstance(either_way, bool):
        raise _wrong(f"{path}/either_way", "true or false was expected")
    relations = _names(fields["relations"], f"{path}/relations")
    if not relations:
        raise _wrong(f"{path}/relations", "at least one relation was expected")
    head, tail = (_name(fields[end], f"{path}/{end}") for end in ("head", "tail"))
    return PatternEdge(head, relations, tail, either_way)


def _condition(value: object, path: str) -> tuple[str, Query]:
    fields = _object(value, path, ("variable", "is"), ())
    try:
        tree = read_json(fields["is"])
    except QuerySyntaxError as error:
        raise _wrong(f"{path}/is", error.what) from error
    return _name(fields["variable"], f"{path}/variable"), tree


def _object(
    value: object, path: str, needed: tuple[str, ...], others: tuple[str, ...]
) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(path, f"an object was expected, not {type(value).__name__}")
    missing = [name for name in needed if name not in value]
    unknown = [name for name in value if name not in (*needed, *others)]
    if missing or unknown:
        what = f"{missing[0]!r} is missing" if missing else f"{unknown[0]!r:.60} is unknown"
        raise _wrong(path, f"the field {what}")
    return value


def _items(value: object, path: str) -> list[object]:
    if not isinstance(value, list | tuple):
        raise _wrong(path, "a list was expected")
    if len(value) > MAX_NODES:
        raise LimitError(f"a pattern has more than {MAX_NODES} parts", hint="ask it in parts")
    return list(value)


def _names(value: object, path: str) -> tuple[str, ...]:
    return tuple(_name(item, f"{path}/{i}") for i, item in enumerate(_items(value, path)))


def _name(value: object, path: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise _wrong(path, "a name of up to 200 characters was expected")
    return value


def _wrong(path: str, what: str) -> QuerySyntaxError:
    return QuerySyntaxError(f"at {path or '/'}: {what}")


def write_pattern(pattern: Pattern) -> dict[str, Any]:
    """Return a pattern as plain values; `read_pattern` gives an equal one back."""
    edges = [
        {"head": edge.head, "relations": list(edge.relations), "tail": edge.tail}
        | ({"either_way": True} if edge.either_way else {})
        for edge in pattern.edges
    ]
    return {
        "select": list(pattern.answer),
        "edges": edges,
        "conditions": [
            {"variable": name, "is": write_json(tree)} for name, tree in pattern.conditions
        ],
        "different": [list(pair) for pair in pattern.different],
        "variables": list(pattern.variables),
    }
