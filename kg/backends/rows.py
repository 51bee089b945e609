"""Entities and edges as the flat property maps that a property graph keeps.

A field that is part of the query language's world (key, name, aliases, attributes) is a property
of its own, so ``WHERE c.area_km2 > 1000`` works. What is not stands in properties with a leading
underscore: ``_records`` (a list of JSON texts), ``_images``, ``_part``, ``_claims`` (JSON texts).

Another program may have written what an attribute cannot be: a time reads as its text, a point as
the list of its coordinates, bytes as hexadecimal digits. The property itself stays as it is until
another value is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import date, time
from typing import Any, TypeVar

from kg.backends.names import BASE_LABEL, RESERVED_ATTRIBUTES
from kg.claimed import claims_fields, claims_from
from kg.model import AttributeValue, Edge, Entity, EntityKey, ImagePart, ImageRef
from kg.provenance import Provenance

__all__ = [
    "CLAIMS",
    "RECORDS",
    "difference",
    "edge_from_row",
    "edge_properties",
    "entity_from_row",
    "entity_properties",
    "own_label",
]

Row = TypeVar("Row", Entity, Edge)
RECORDS = "_records"
IMAGES = "_images"
PART = "_part"
CLAIMS = "_claims"
_OWN = frozenset({str, int, float, bool})


def _stored(value: AttributeValue) -> Any:
    return list(value) if isinstance(value, tuple | list) else value


def _loaded(value: Any) -> AttributeValue:
    loaded: AttributeValue
    if type(value) is list:
        loaded = tuple(item if type(item) in _OWN else _foreign(item) for item in value)
    else:
        loaded = value if type(value) in _OWN else _foreign(value)
    return loaded


def _foreign(value: Any) -> Any:
    """Return what an attribute can be instead of a time, a point or bytes; others as they are."""
    if isinstance(value, date | time):  # a datetime is a date
        return value.isoformat()
    from kg.backends.values import plain  # the driver is slow to import
    from kg.query_values import PointValue, TemporalValue

    match shown := plain(value):
        case TemporalValue():
            return str(shown)
        case PointValue():
            return tuple(shown[axis] for axis in "xyz" if axis in shown)
    return shown if isinstance(value, bytes | bytearray) else value


def _records(records: Iterable[Provenance]) -> list[str]:
    return [record.to_json() for record in records]


def _claims(row: Entity | Edge) -> str:
    return json.dumps(claims_fields(row), ensure_ascii=False)


def _attributes(properties: Mapping[str, Any], fields: frozenset[str]) -> dict[str, AttributeValue]:
    return {
        name: _loaded(properties[name])
        for name in sorted(properties)
        if name not in fields and not name.startswith("_")
    }


def entity_properties(entity: Entity) -> dict[str, Any]:
    """Return the properties of an entity's node; a field that is empty is left out."""
    properties = {name: _stored(value) for name, value in entity.attributes.items()}
    properties["key"] = entity.key
    properties["name"] = entity.name
    if entity.aliases:
        properties["aliases"] = list(entity.aliases)
    if entity.images:
        properties[IMAGES] = json.dumps([asdict(image) for image in entity.images])
    if entity.part is not None:
        properties[PART] = json.dumps(asdict(entity.part))
    if entity.provenance:
        properties[RECORDS] = _records(entity.provenance)
    if entity.claims:
        properties[CLAIMS] = _claims(entity)
    return properties


def edge_properties(edge: Edge) -> dict[str, Any]:
    """Return the properties of an edge."""
    properties = {name: _stored(value) for name, value in edge.attributes.items()}
    properties[RECORDS] = _records(edge.provenance)
    if edge.claims:
        properties[CLAIMS] = _claims(edge)
    return properties


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties that must be written, None for those that must go."""
    changed = {name: value for name, value in new.items() if old.get(name) != value}
    return {**dict.fromkeys(old.keys() - new.keys()), **changed}


def own_label(labels: Iterable[str]) -> str:
    """Return an entity's own label: the one that is not the base label, if it has one.

    Example:
        >>> own_label(["Country", "Entity"]), own_label(["Entity"])
        ('Country', 'Entity')
    """
    return min((label for label in labels if label != BASE_LABEL), default=BASE_LABEL)


def entity_from_row(labels: Iterable[str], properties: Mapping[str, Any]) -> Entity:
    """Return the entity of a node's labels and properties."""
    part = properties.get(PART)
    row = Entity(
        key=EntityKey(properties["key"]),
        label=own_label(labels),
        name=properties.get("name") or properties["key"],
        aliases=tuple(properties.get("aliases") or ()),
        attributes=_attributes(properties, RESERVED_ATTRIBUTES),
        images=tuple(ImageRef(**image) for image in json.loads(properties.get(IMAGES) or "[]")),
        part=None if part is None else _part(json.loads(part)),
        provenance=_loaded_records(properties),
    )
    return _claimed(row, properties)


def _claimed(row: Row, properties: Mapping[str, Any]) -> Row:
    claims = properties.get(CLAIMS)
    if claims is None:
        return row
    return replace(row, claims=claims_from(json.loads(claims), row))


def _part(fields: dict[str, Any]) -> ImagePart:
    return ImagePart(**{**fields, "box_xyxy": tuple(fields["box_xyxy"])})


def _loaded_records(properties: Mapping[str, Any]) -> tuple[Provenance, ...]:
    return tuple(Provenance.from_json(text) for text in properties.get(RECORDS) or ())


def edge_from_row(head: str, relation: str, tail: str, properties: Mapping[str, Any]) -> Edge:
    """Return the edge of its ends, type and properties."""
    row = Edge(
        head=EntityKey(head),
        relation=relation,
        tail=EntityKey(tail),
        attributes=_attributes(properties, frozenset()),
        provenance=_loaded_records(properties),
    )
    return _claimed(row, properties)
