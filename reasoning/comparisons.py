"""Comparisons on attributes, with the meaning that Cypher gives them.

- An entity without the attribute never compares, with ``<>`` neither.
- ``=`` and ``<>`` take any two values; values of two types are unequal. A number is a number
  (1 = 1.0), a truth value is not one, a list equals only a list with equal values in order.
- ``<`` … ``>=`` compare two numbers, two texts (by code point), or two truth values (false first);
  any other pair never compares.
- ``contains``, ``starts with``, ``ends with`` compare two texts; any other pair never compares.
- ``in`` holds if ``=`` holds for one value of the tuple.
- A `Date` compares (``=``, ``<>``, ``<`` … ``>=``, ``in``) with a text that is a day, as days; with
  anything else it never compares, by ``<>`` neither.

``name`` and ``key`` are attributes of every entity and come before a stored attribute so called.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.model import AttributeValue
from kg.snapshot import Snapshot
from reasoning.query import Compare, Comparison, Date, Query, Scalar, is_day, walk

__all__ = ["attribute_of", "compares", "matching", "unheld_attributes"]

_ORDERS: dict[Comparison, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TEXTS: dict[Comparison, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "starts with": str.startswith,
    "ends with": str.endswith,
}


def compares(
    value: AttributeValue | None, comparison: Comparison, other: Scalar | tuple[Scalar, ...]
) -> bool:
    """Tell whether a value compares so with another.

    Args:
        value: Of the entity; None where it has none.
        comparison: How.
        other: Of the query; a tuple of alternatives for ``in``, else a tuple is a list.

    Example:
        >>> compares(1, "=", 1.0), compares(True, "=", 1), compares(None, "<>", 1)
        (True, False, False)
    """
    if value is None:
        return False
    if comparison == "in":
        options = other if isinstance(other, tuple) else (other,)
        return any(compares(value, "=", option) for option in options)
    if isinstance(other, Date):
        return (
            comparison not in _TEXTS and is_day(value) and compares(value, comparison, other.text)
        )
    if comparison == "=":
        return _equal(value, other)
    if comparison == "<>":
        return not _equal(value, other)
    if comparison in _TEXTS:
        both = isinstance(value, str) and isinstance(other, str)
        return both and _TEXTS[comparison](str(value), str(other))
    kind = _kind(value)
    return kind != "list" and kind == _kind(other) and _ORDERS[comparison](value, other)


def unheld_attributes(conditions: Iterable[Query], snapshot: Snapshot) -> list[str]:
    """Return the attributes that are compared in trees and that no entity of a graph has."""
    compared = (
        node.attribute for tree in conditions for node in walk(tree) if isinstance(node, Compare)
    )
    held = snapshot.attributes
    return [
        name for name in dict.fromkeys(compared) if name not in ("name", "key") and name not in held
    ]


def _equal(one: object, other: object) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    return _kind(one) == _kind(other) and one == other


def _kind(value: object) -> str:
    match value:
        case bool():
            return "truth value"
        case int() | float():
            return "number"
        case str():
            return "text"
        case Date():
            return "date"
        case _:
            return "list"


def attribute_of(snapshot: Snapshot, entity: int, attribute: str) -> AttributeValue | None:
    """Return an attribute of an entity, its name and key included, or None."""
    if attribute == "name":
        return snapshot.names[entity]
    if attribute == "key":
        return snapshot.entities.name(entity)
    return snapshot.attributes.get(attribute, {}).get(entity)


def matching(
    snapshot: Snapshot, node: Compare, among: NDArray[np.int32] | None = None
) -> NDArray[np.int32]:
    """Return the entities whose attribute compares as a node says, ascending.

    Args:
        snapshot: Where the attributes are.
        node: The comparison.
        among: Ascending ids to look at; all entities if None.
    """
    if among is not None:
        keep = [
            compares(
                attribute_of(snapshot, int(entity), node.attribute), node.comparison, node.value
            )
            for entity in among
        ]
        return among[np.array(keep, dtype=np.bool_)]
    if node.comparison == "=" and node.attribute == "key":
        found = snapshot.entities.get(node.value) if isinstance(node.value, str) else None
        return np.array([] if found is None else [found], dtype=np.int32)
    column = _column(snapshot, node.attribute)
    found_ids = [i for i, value in column.items() if compares(value, node.comparison, node.value)]
    return np.array(sorted(found_ids), dtype=np.int32)


def _column(snapshot: Snapshot, attribute: str) -> Mapping[int, AttributeValue]:
    if attribute == "name":
        return dict(enumerate(snapshot.names))
    if attribute == "key":
        return dict(enumerate(snapshot.entities.names))
    return snapshot.attributes.get(attribute, {})
