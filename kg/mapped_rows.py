"""Records of a file as entities and edges, by one table of a mapping; the rest is rejected.

A fault in a part that an entity can do without (an attribute, an image) rejects that part only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

from kg.backends.merging import checked_edge, checked_entity
from kg.backends.names import storable_name
from kg.errors import EngineError, ImageError, InputError, RecordError
from kg.formats.records import Record, Reject
from kg.mapping import EdgeTable, EntityTable, FieldSource, Source
from kg.model import AttributeValue, Edge, Entity, EntityKey, ImageRef
from kg.provenance import Provenance
from kg.templates import MISSING, Template, bad_field, look_up
from kg.value_types import convert

__all__ = ["ImageReader", "MappedRow", "edge_rows", "entity_rows"]

ImageReader = Callable[[str], ImageRef]
"""Keeps the picture at a path relative to the mapping; raises `EngineError` with the reason."""

NOTHING: Mapping[str, Any] = {}
_WORDS = re.compile(r"(?=.*[^\W\d_])[\w ./:'&,()-]+")
"""What may be words that somebody wrote for a label or a relation; other signs are a mistake."""


@dataclass(slots=True, kw_only=True)
class MappedRow:
    """What one row of a file, or one item of a row, becomes.

    Attributes:
        file: Name of the file.
        line: Its line.
        text: The row as it stands in the file.
        fields: Its values, with ``each`` and ``each_key``.
        entity: The entity, if it became one.
        edge: The edge, if it became one.
        rejects: What could not be taken.
        position: Its place in what an import divides into shards; its line if not given.
        asserted: The record that its reader made for it; None where the file has records of its
            own, which stay as they are.
    """

    file: str
    line: int
    text: str
    fields: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    entity: Entity | None = None
    edge: Edge | None = None
    rejects: list[Reject] = field(default_factory=list)
    position: int = 0
    asserted: Provenance | None = None

    def __post_init__(self) -> None:
        """Set the position."""
        self.position = self.position or self.line

    def stamp(self, job: str) -> None:
        """Name the job that writes the row in the record that its reader made."""
        own = self.asserted
        if own is None:
            return
        if self.entity is not None:
            self.entity = replace(
                self.entity, provenance=_stamped(self.entity.provenance, own, job)
            )
        if self.edge is not None:
            self.edge = replace(self.edge, provenance=_stamped(self.edge.provenance, own, job))

    def blame(self, error: EngineError, column: str | None = None) -> None:
        """Add a reject for an error."""
        column = error.column if isinstance(error, RecordError) else column
        reason = error.what
        if isinstance(error, ImageError) and error.where is not None:
            reason = f"{reason}, in {error.where}"  # a row says which picture only by its fields
        reject = Reject(
            file=self.file, line=self.line, column=column, reason=reason, text=self.text
        )
        self.rejects.append(reject)


def _stamped(records: tuple[Provenance, ...], own: Provenance, job: str) -> tuple[Provenance, ...]:
    return tuple(replace(one, job=job) if one is own or one == own else one for one in records)


def entity_rows(
    table: EntityTable, add_image: ImageReader, *, first_line: int = 1
) -> Iterator[MappedRow]:
    """Read the file of a table of entities.

    Args:
        table: The table.
        add_image: Keeps a picture and returns what is known of it.
        first_line: Rows before it are only looked at for what was there `once`.

    Raises:
        RecordError: The file is not of its format at all.
    """
    seen: set[bytes] = set()
    for row in _complete_rows(table.source, (table.key, table.name, table.label)):
        if not row.rejects:
            try:
                key = table.key.fill(row.fields)
                again = table.source.once and _again(key, seen)
                if again or row.line < first_line:
                    continue
                row.entity = checked_entity(_entity(table, key, row, add_image))
            except InputError as error:
                row.blame(error)
        if row.line >= first_line:
            yield row


def edge_rows(table: EdgeTable, *, first_line: int = 1) -> Iterator[MappedRow]:
    """Read the file of a table of edges.

    Args:
        table: The table.
        first_line: Rows before it are only looked at for what was there `once`.

    Raises:
        RecordError: The file is not of its format at all.
    """
    seen: set[bytes] = set()
    for row in _complete_rows(table.source, (table.head, table.relation, table.tail)):
        if not row.rejects:
            try:
                ends = [item.fill(row.fields) for item in (table.head, table.relation, table.tail)]
                again = table.source.once and _again("\n".join(ends), seen)
                if again or row.line < first_line:
                    continue
                row.edge = checked_edge(_edge(table, ends, row))
            except InputError as error:
                row.blame(error)
        if row.line >= first_line:
            yield row


def _complete_rows(source: Source, needed: tuple[Template, ...]) -> Iterator[MappedRow]:
    """Yield rows that have every field that they need, or a reject."""
    for row in _rows(source):
        lacking = next((path for item in needed if (path := item.lacks(row.fields))), None)
        if not row.rejects and lacking is not None:
            if source.skip_missing:
                continue
            row.blame(bad_field("missing", lacking))
        yield row


def _rows(source: Source) -> Iterator[MappedRow]:
    name = source.file.name
    for record in source.records():
        row = MappedRow(file=name, line=record.line, text=record.text)
        if isinstance(record, Reject):
            row.rejects.append(record)
            yield row
        elif source.each is None:
            row.fields = record.fields
            yield row
        else:
            yield from _items(source.each, record, row)


def _items(each: FieldSource, record: Record, row: MappedRow) -> Iterator[MappedRow]:
    items = _divided(look_up(record.fields, each.path), each.separator)
    if isinstance(items, Mapping):
        pairs = list(items.items())
    elif isinstance(items, list):
        pairs = list(enumerate(items))
    elif items is MISSING:
        pairs = []
    else:
        row.blame(bad_field("neither a list nor an object", each.path))
        yield row
        return
    for key, value in pairs:
        fields = {**record.fields, "each": value, "each_key": key}
        yield MappedRow(file=row.file, line=row.line, text=row.text, fields=fields)


def _again(key: str, seen: set[bytes]) -> bool:
    digest = blake2b(key.encode(), digest_size=16).digest()
    if digest in seen:
        return True
    seen.add(digest)
    return False


def _entity(table: EntityTable, key: str, row: MappedRow, add_image: ImageReader) -> Entity:
    sources = {} if table.aliases is None else {"aliases": table.aliases}
    aliases = _values(sources, row).get("aliases", ())
    return Entity(
        key=EntityKey(key),
        label=_as_name(table.label.fill(row.fields)),
        name=table.name.fill(row.fields),
        aliases=tuple(map(str, aliases)) if isinstance(aliases, tuple) else (),
        attributes=_values(table.attributes, row),
        images=_images(table, row, add_image),
        provenance=(_asserted(row),),
    )


def _edge(table: EdgeTable, ends: list[str], row: MappedRow) -> Edge:
    head, relation, tail = ends
    return Edge(
        head=EntityKey(head),
        relation=_as_name(relation),
        tail=EntityKey(tail),
        attributes=_values(table.attributes, row),
        provenance=(_asserted(row),),
    )


def _as_name(text: str) -> str:
    """Return words as a label or a relation: ``part of`` as ``part_of``; anything else as it is."""
    return storable_name(text) if _WORDS.fullmatch(text) else text


def _asserted(row: MappedRow) -> Provenance:
    row.asserted = Provenance(kind="asserted", source=row.file, locator=f"row {row.line}")
    return row.asserted


def _values(sources: Mapping[str, FieldSource], row: MappedRow) -> dict[str, AttributeValue]:
    """Return the values that a row has; one of a wrong type is a reject and left out."""
    values: dict[str, AttributeValue] = {}
    for name, source in sources.items():
        found = _divided(look_up(row.fields, source.path), source.separator)
        if found is MISSING:
            continue
        try:
            values[name] = convert(found, source.type, column=source.path)
        except InputError as error:
            row.blame(error)
    return values


def _divided(value: Any, separator: str | None) -> Any:
    """Return the parts of a text that a separator divides; anything else as it is."""
    if separator is None or not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(separator) if part.strip()]


def _images(table: EntityTable, row: MappedRow, add_image: ImageReader) -> tuple[ImageRef, ...]:
    if table.image is None or table.image.lacks(row.fields) is not None:
        return ()
    try:
        return (add_image(table.image.fill(row.fields)),)
    except EngineError as error:
        row.blame(error, "image")
        return ()
