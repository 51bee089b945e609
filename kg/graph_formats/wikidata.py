"""Wikidata's JSON dumps: one array with an item a line, or a line each; only read.

An item becomes an entity with its English label, aliases and description, and its claims of the
truthy rank: those that lead to items are edges, by the property's id (``P31``), the others
attributes. Qualifiers, references and deprecated claims are left out, other languages too, but for
the first label of an item that has no English one. The label is the class `Item`, or `Property`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kg.backends.merging import checked_edge, checked_entity
from kg.errors import EngineError
from kg.formats.records import MAX_LINE_BYTES, Reject, count_lines, lines, readable
from kg.graph_formats.plain import from_json
from kg.graph_formats.protocol import GraphFormat
from kg.graph_formats.rows import row_source
from kg.import_sources import ImportSource
from kg.mapped_rows import MappedRow
from kg.model import AttributeValue, Edge, Entity, EntityKey
from kg.provenance import Provenance

__all__ = ["WIKIDATA"]

LANGUAGES = ("en", "mul")
_FIRST = re.compile(rb'"claims"|"type"\s*:\s*"(item|property)"')
_LABELS = {"item": "Item", "property": "Property"}


@contextmanager
def _opened(path: Path, _work: Path) -> Iterator[ImportSource]:
    yield row_source(path, count_lines(path), _rows)


def _rows(path: Path) -> Iterator[MappedRow]:
    with readable(path) as file:
        for number, line in lines(file, 4 * MAX_LINE_BYTES):
            text = b"" if line is None else line.strip().removesuffix(b",")
            if text in (b"[", b"]") or (not text and line is not None):
                continue
            yield from _item(path.name, number, text.decode(errors="replace"))


def _item(file: str, number: int, text: str) -> Iterator[MappedRow]:
    record = Provenance(kind="asserted", source=file, locator=f"line {number}")
    row = MappedRow(file=file, line=number, text=text, asserted=record)
    try:
        fields = from_json(text)
        row.entity = checked_entity(_entity(fields, record))
        found = list(_edges(fields, record))
    except EngineError as error:
        row.blame(error)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"not an item of Wikidata: {type(error).__name__} {error}"[:200]
        row.rejects.append(Reject(file=file, line=number, column=None, reason=reason, text=text))
        row.entity = None
    yield row
    if row.entity is not None:
        for edge in found:
            other = MappedRow(file=file, line=number, text=text[:200], asserted=record)
            try:
                other.edge = checked_edge(edge)
            except EngineError as error:
                other.blame(error)
            yield other


def _entity(fields: Mapping[str, Any], record: Provenance) -> Entity:
    key = fields["id"]
    aliases = [alias["value"] for alias in _spoken(fields.get("aliases")) or ()]
    attributes = dict(_attributes(fields))
    description = _spoken(fields.get("descriptions"))
    if description is not None:
        attributes["description"] = description["value"]
    labels = fields.get("labels") or {}
    name = _spoken(labels) or next(iter(labels.values() if labels else ()), None)
    return Entity(
        key=EntityKey(key),
        label=_LABELS[fields["type"]],
        name=key if name is None else name["value"],
        aliases=tuple(dict.fromkeys(aliases)),
        attributes=attributes,
        provenance=(record,),
    )


def _spoken(texts: Any) -> Any:
    """Return what stands in the first of our languages; an empty list stands for nothing."""
    return next((texts[code] for code in LANGUAGES if code in texts), None) if texts else None


def _truthy(fields: Mapping[str, Any]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Yield each property with its best values."""
    for name, claims in (fields.get("claims") or {}).items():
        best = [claim for claim in claims if claim.get("rank") == "preferred"] or [
            claim for claim in claims if claim.get("rank") == "normal"
        ]
        snaks = [claim["mainsnak"] for claim in best]
        values = [snak["datavalue"] for snak in snaks if snak["snaktype"] == "value"]
        if values:
            yield name, values


def _edges(fields: Mapping[str, Any], record: Provenance) -> Iterator[Edge]:
    for name, values in _truthy(fields):
        for value in values:
            if value["type"] == "wikibase-entityid":
                head, tail = EntityKey(fields["id"]), _meant(value["value"])
                yield Edge(head=head, relation=name, tail=tail, provenance=(record,))


def _meant(value: Mapping[str, Any]) -> EntityKey:
    """Return the id of what a claim leads to; old dumps have its number only."""
    if "id" in value:
        return EntityKey(value["id"])
    letter = {"item": "Q", "property": "P"}[value["entity-type"]]
    return EntityKey(f"{letter}{value['numeric-id']}")


def _attributes(fields: Mapping[str, Any]) -> Iterator[tuple[str, AttributeValue]]:
    for name, values in _truthy(fields):
        found = [_value(value) for value in values if value["type"] != "wikibase-entityid"]
        if found:
            yield name, found[0] if len(found) == 1 else tuple(found)


def _value(value: Mapping[str, Any]) -> str | float:
    """Return a value as one text or number: units, precisions and calendars are left out."""
    kind, content = value["type"], value["value"]
    if kind == "quantity":
        return float(content["amount"])
    if kind == "time":
        return str(content["time"]).removeprefix("+").removesuffix("T00:00:00Z")
    if kind == "monolingualtext":
        return str(content["text"])
    if kind == "globecoordinate":
        return f"{content['latitude']} {content['longitude']}"
    return str(content)


WIKIDATA = GraphFormat(
    name="wikidata",
    endings=(".json", ".jsonl", ".ndjson"),
    fits=lambda _path, head: _FIRST.search(head) is not None,
    opened=_opened,
    write=None,
)
