"""Entities and edges as flat properties (`kg.backends.rows`), read from outside with every check.

A label is the property ``_label``. What carries none of Umbra's own properties (a graph that some
other tool made) gets a label, a name and a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kg.backends.merging import checked_edge, checked_entity
from kg.backends.names import BASE_LABEL
from kg.backends.rows import (
    RECORDS,
    edge_from_row,
    edge_properties,
    entity_from_row,
    entity_properties,
)
from kg.errors import InputError
from kg.model import Edge, Entity
from kg.provenance import Provenance

__all__ = ["LABEL", "TYPES", "edge_of_row", "edge_row", "entity_of_row", "entity_row"]

LABEL = "_label"
TYPES = "types"
"""Attribute of the labels that an entity has beside its own, in the graphs of others."""


def entity_row(entity: Entity) -> dict[str, Any]:
    """Return an entity as flat properties.

    Example:
        >>> from kg.model import EntityKey
        >>> entity_row(Entity(key=EntityKey("a"), label="Town", name="A", attributes={"x": 1}))
        {'x': 1, 'key': 'a', 'name': 'A', '_label': 'Town'}
    """
    return {**entity_properties(entity), LABEL: entity.label}


def edge_row(edge: Edge) -> dict[str, Any]:
    """Return an edge as flat properties, without its ends and relation."""
    return edge_properties(edge)


def entity_of_row(row: Mapping[str, Any], asserted: Provenance) -> Entity:
    """Return the entity of flat properties.

    Args:
        row: Properties; ``key`` is needed.
        asserted: Record of an entity that is not of Umbra's making: it has no ``_label``.

    Raises:
        InputError: A property has another form than it must have.
    """
    label = row.get(LABEL)
    records = row.get(RECORDS)
    if label is None and records is None:
        records = [asserted.to_json()]
    try:
        fields = {**row, "key": _text(row["key"]), RECORDS: records}
        return checked_entity(entity_from_row([_text(label or BASE_LABEL)], fields))
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise _wrong("an entity", error) from error


def edge_of_row(
    head: str, relation: str, tail: str, row: Mapping[str, Any], asserted: Provenance
) -> Edge:
    """Return the edge of flat properties; one without records gets `asserted`.

    Raises:
        InputError: A property has another form than it must have.
    """
    try:
        fields = {**row, RECORDS: row.get(RECORDS) or [asserted.to_json()]}
        return checked_edge(edge_from_row(_text(head), _text(relation), _text(tail), fields))
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise _wrong("an edge", error) from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise InputError(f"{value!r:.80} is not a text")
    return value


def _wrong(noun: str, error: Exception) -> InputError:
    if isinstance(error, InputError):
        return error
    return InputError(f"not {noun}: {type(error).__name__} {error}"[:300])
