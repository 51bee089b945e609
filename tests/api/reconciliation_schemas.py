"""The schemas of the reconciliation protocol (version 0.2), written from its text."""

from __future__ import annotations

from typing import Any

__all__ = ["EXTENDED", "MANIFEST", "RESULTS", "SUGGESTED"]

TYPE = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string"}, "name": {"type": "string"}},
}
PLACE = {
    "type": "object",
    "required": ["service_url", "service_path"],
    "properties": {"service_url": {"pattern": "^https?://"}, "service_path": {"pattern": "^/"}},
}
MANIFEST = {
    "type": "object",
    "required": ["versions", "name", "identifierSpace", "schemaSpace"],
    "properties": {
        "versions": {"type": "array", "contains": {"const": "0.2"}},
        "name": {"type": "string"},
        "identifierSpace": {"type": "string"},
        "schemaSpace": {"type": "string"},
        "defaultTypes": {"type": "array", "items": TYPE, "uniqueItems": True},
        "view": {"required": ["url"], "properties": {"url": {"pattern": r"\{\{id\}\}"}}},
        "preview": {
            "required": ["url", "width", "height"],
            "properties": {
                "url": {"pattern": r"\{\{id\}\}"},
                "width": {"type": "integer"},
                "height": {"type": "integer"},
            },
        },
        "suggest": {"properties": {"entity": PLACE, "property": PLACE, "type": PLACE}},
        "extend": {"properties": {"propose_properties": PLACE}},
    },
}


def listed(*required: str, **properties: Any) -> dict[str, Any]:
    """The schema of an object whose `result` lists objects."""
    items = {"type": "object", "required": list(required), "properties": properties}
    return {
        "type": "object",
        "required": ["result"],
        "properties": {"result": {"type": "array", "items": items}},
    }


TEXT, WHOLE, NUMBER = ({"type": name} for name in ("string", "integer", "number"))
FEATURE = {"properties": {"id": TEXT, "value": {"type": ["number", "boolean"]}}}
RESULTS = {
    "type": "object",
    "additionalProperties": listed(
        "id", "name", "score",
        id=TEXT, name=TEXT, description=TEXT, score=NUMBER, match={"type": "boolean"},
        type={"type": "array", "items": TYPE}, features={"type": "array", "items": FEATURE},
    ),
}  # fmt: skip
SUGGESTED = listed(
    "id", "name", id=TEXT, name=TEXT, description=TEXT, notable={"type": "array", "items": TYPE}
)


def only(**properties: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


EXTENDED = {
    "type": "object",
    "required": ["meta", "rows"],
    "properties": {
        "meta": {"type": "array", "items": {"required": ["id", "name"]}},
        "rows": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": {
                    "type": "array",
                    "items": {
                        "oneOf": [
                            only(id=TEXT, name=TEXT),
                            only(str=TEXT),
                            only(int=WHOLE),
                            only(float=NUMBER),
                        ]
                    },
                },
            },
        },
    },
}
