"""Entities and edges as plain JSON objects: every field, empty ones left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from kg.backends.merging import checked_edge, checked_entity
from kg.claimed import claims_fields, claims_from
from kg.errors import InputError
from kg.model import AttributeValue, Edge, Entity, ImagePart, ImageRef
from kg.provenance import Provenance

__all__ = ["edge_fields", "edge_from", "entity_fields", "entity_from", "from_json"]


def entity_fields(entity: Entity) -> dict[str, Any]:
    """Return the fields of an entity.

    Example:
        >>> from kg.model import EntityKey
        >>> entity_fields(Entity(key=EntityKey("a"), label="Town", name="A"))
        {'key': 'a', 'label': 'Town', 'name': 'A'}
    """
    fields: dict[str, Any] = {
        "key": entity.key,
        "label": entity.label,
        "name": entity.name,
        "aliases": list(entity.aliases),
        "attributes": _listed(entity.attributes),
        "images": [asdict(image) for image in entity.images],
        "part": None if entity.part is None else _full(asdict(entity.part)),
        "provenance": [_full(asdict(record)) for record in entity.provenance],
        "claims": claims_fields(entity),
    }
    return {name: value for name, value in fields.items() if value or name == "name"}


def edge_fields(edge: Edge) -> dict[str, Any]:
    """Return the fields of an edge."""
    fields: dict[str, Any] = {
        "head": edge.head,
        "relation": edge.relation,
        "tail": edge.tail,
        "attributes": _listed(edge.attributes),
        "provenance": [_full(asdict(record)) for record in edge.provenance],
        "claims": claims_fields(edge),
    }
    return {name: value for name, value in fields.items() if value}


def entity_from(fields: Mapping[str, Any]) -> Entity:
    """Return the entity of such fields.

    Raises:
        InputError: A field is missing, unknown, or of another form.
    """
    try:
        row = Entity(
            **{
                **fields,
                "aliases": _texts(fields.get("aliases", ())),
                "attributes": _values(fields.get("attributes", {})),
                "images": tuple(ImageRef(**image) for image in fields.get("images", ())),
                "part": _part(fields.get("part")),
                "provenance": _records(fields.get("provenance", ())),
                "claims": {},
            }
        )
        claims = claims_from(fields.get("claims", {}), row)
        return checked_entity(replace(row, claims=claims))
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(f"not an entity: {_told(error)}") from error


def edge_from(fields: Mapping[str, Any]) -> Edge:
    """Return the edge of such fields.

    Raises:
        InputError: A field is missing, unknown, or of another form.
    """
    try:
        if not all(isinstance(fields[name], str) for name in ("head", "relation", "tail")):
            raise InputError("head, relation and tail are texts")
        row = Edge(
            **{
                **fields,
                "attributes": _values(fields.get("attributes", {})),
                "provenance": _records(fields.get("provenance", ())),
                "claims": {},
            }
        )
        claims = claims_from(fields.get("claims", {}), row)
        return checked_edge(replace(row, claims=claims))
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(f"not an edge: {_told(error)}") from error


def from_json(text: str) -> Any:
    """Return a value that stands as JSON inside another format.

    Raises:
        InputError: It is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {text[:80]!r}") from error


def _told(error: Exception) -> str:
    return str(error).removeprefix("Entity.__init__() ").removeprefix("Edge.__init__() ")[:200]


def _full(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, ())}


def _listed(values: Mapping[str, AttributeValue]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items()
    }


def _texts(items: Any) -> tuple[str, ...]:
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise InputError("aliases are a list of texts")
    return tuple(items)


def _values(values: Any) -> dict[str, AttributeValue]:
    if not isinstance(values, Mapping):
        raise InputError("attributes are an object")
    return {
        str(name): tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
    }


def _part(fields: Any) -> ImagePart | None:
    if fields is None:
        return None
    return ImagePart(**{**fields, "box_xyxy": tuple(fields["box_xyxy"])})


def _records(rows: Any) -> tuple[Provenance, ...]:
    return tuple(Provenance(**row) for row in rows)
