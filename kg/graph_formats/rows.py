"""Formats whose rows are whole entities or edges: read from the file itself, twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kg.errors import EngineError
from kg.files import sha256_of_file
from kg.formats.records import Record, Reject
from kg.import_sources import ImportSource
from kg.mapped_rows import MappedRow
from kg.model import Edge
from kg.provenance import Provenance

__all__ = ["RowFile", "row_source", "take_edge", "taken"]


def taken(
    path: Path, record: Record | Reject, take: Callable[[MappedRow, Mapping[str, Any]], None]
) -> MappedRow:
    """Return a record as a row whose entity or edge `take` sets; an error becomes a reject."""
    row = MappedRow(file=path.name, line=record.line, text=record.text)
    if isinstance(record, Reject):
        row.rejects.append(record)
        return row
    try:
        take(row, record.fields)
    except EngineError as error:
        row.blame(error)
    return row


def take_edge(row: MappedRow, edge: Edge) -> None:
    """Set a row's edge; one without a record, as people write it by hand, gets the row's own."""
    if not edge.provenance:
        row.asserted = Provenance(kind="asserted", source=row.file, locator=f"row {row.line}")
        edge = replace(edge, provenance=(row.asserted,))
    row.edge = edge


@dataclass(frozen=True, slots=True)
class RowFile:
    """The rows of one kind in a file.

    Attributes:
        path: The file.
        positions: Highest position.
        read: Yields the rows of all kinds.
        edges: Rows that became edges are kept, else those that became entities. A row that became
            neither is told with the entities.
    """

    path: Path
    positions: int
    read: Callable[[Path], Iterator[MappedRow]]
    edges: bool

    def rows(self, first: int) -> Iterator[MappedRow]:
        """Yield the rows from a position on."""
        for row in self.read(self.path):
            if row.position >= first and (row.edge is not None) == self.edges:
                yield row


def row_source(
    path: Path, positions: int, read: Callable[[Path], Iterator[MappedRow]]
) -> ImportSource:
    """Return the tables of one file that holds entities and edges."""
    entities = (RowFile(path, positions, read, edges=False),)
    return ImportSource(
        name=path.name,
        content=sha256_of_file(path),
        entities=entities,
        edges=(RowFile(path, positions, read, edges=True),),
        sample=entities,
    )
