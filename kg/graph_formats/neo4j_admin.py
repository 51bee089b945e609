r"""CSV as ``neo4j-admin database import`` takes it: ``nodes.csv`` and ``relationships.csv``.

    neo4j-admin database import full --nodes=nodes.csv --relationships=relationships.csv \
        --array-delimiter=U+001F --multiline-fields=true

Columns are the flat properties of `kg.graph_formats.properties` with Neo4j's types. CSV cannot tell
an empty text from none, and Neo4j knows no empty and no mixed lists: those are lost. What others
write is read as `kg.graph_formats.neo4j_tables` says.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from kg.backends.names import storable_name
from kg.errors import EngineError
from kg.files import atomic_write, sha256_of_file, sha256_of_text
from kg.formats.csv import read_csv
from kg.formats.records import Reject, count_lines
from kg.graph_formats.neo4j_tables import BETWEEN, Neo4jTable, neo4j_tables
from kg.graph_formats.properties import (
    LABEL,
    TYPES,
    edge_of_row,
    edge_row,
    entity_of_row,
    entity_row,
)
from kg.graph_formats.protocol import Graph, GraphFormat, Tally, Written
from kg.import_sources import ImportSource
from kg.mapped_rows import MappedRow
from kg.progress import Progress
from kg.provenance import Provenance

__all__ = ["NEO4J"]

NODES, EDGES = "nodes.csv", "relationships.csv"
KEY, HEAD, TAIL, KIND, TYPE = "key:ID", ":START_ID", ":END_ID", ":LABEL", ":TYPE"
_TYPES = {bool: "boolean", int: "long", float: "double", str: "string"}

_Column = tuple[str, str]


def _write(graph: Graph, path: Path, progress: Progress) -> Written:
    tally = Tally(graph, progress)
    nodes = _columns(map(entity_row, graph.entities()), ("key", LABEL))
    facts = _columns(map(edge_row, graph.edges()), ())
    _table(
        path / NODES,
        [KEY, *map(":".join, nodes), KIND],
        (
            [row["key"], *_cells(row, nodes), row[LABEL]]
            for row in map(entity_row, tally.entities())
        ),
    )
    _table(
        path / EDGES,
        [HEAD, *map(":".join, facts), TAIL, TYPE],
        (
            [edge.head, *_cells(edge_row(edge), facts), edge.tail, edge.relation]
            for edge in tally.edges()
        ),
    )
    return tally.written


def _columns(rows: Iterable[Mapping[str, Any]], without: tuple[str, ...]) -> list[_Column]:
    """Return each property with each type that it has, in the order of their first use."""
    pairs = chain.from_iterable(row.items() for row in rows)
    found = {(name, _type(value)): None for name, value in pairs if name not in without}
    return [column for column in found if column[1]]


def _type(value: Any) -> str:
    """Return Neo4j's type of a value; an empty text for what it cannot hold."""
    if not isinstance(value, list):
        return _TYPES[type(value)]
    kinds = {_TYPES[type(item)] for item in value}
    holdable = len(kinds) == 1 and not any(item == "" or BETWEEN in str(item) for item in value)
    return f"{kinds.pop()}[]" if holdable else ""


def _cells(row: Mapping[str, Any], columns: list[_Column]) -> list[str]:
    return [
        _text(row[name]) if name in row and _type(row[name]) == kind else ""
        for name, kind in columns
    ]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return BETWEEN.join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _table(path: Path, header: list[str], rows: Iterable[list[str]]) -> None:
    with atomic_write(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        # with another line end the writer would leave a lone carriage return without quotes
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows(rows)
        text.detach()


@dataclass(frozen=True, slots=True)
class _Rows:
    table: Neo4jTable
    positions: int
    spaces: bool

    def rows(self, first: int) -> Iterator[MappedRow]:
        header = [column.header for column in self.table.columns] if self.table.apart else None
        for record in read_csv(self.table.path, header=header):
            row = MappedRow(file=self.table.path.name, line=record.line, text=record.text)
            if row.position < first:
                continue
            if isinstance(record, Reject):
                row.rejects.append(record)
            else:
                try:
                    (self._entity if self.table.holds_nodes else self._edge)(row, record.fields)
                except EngineError as error:
                    row.blame(error)
            yield row

    def _entity(self, row: MappedRow, fields: Mapping[str, str]) -> None:
        values = self.table.properties(fields, row)
        key = self._key(fields, "ID")
        told = self.table.special(fields, "LABEL") or self.table.stem
        labels = [storable_name(label) for label in told.split(";") if label]
        name = values.get("name") or values.get("title") or self.table.special(fields, "ID")
        found = {**values, "key": key, "name": str(name)}
        if labels:
            found[LABEL] = labels[0]
        if len(labels) > 1:
            found.setdefault(TYPES, labels[1:])
        row.entity = entity_of_row(found, self._asserted(row))

    def _edge(self, row: MappedRow, fields: Mapping[str, str]) -> None:
        values = self.table.properties(fields, row)
        told = self.table.special(fields, "TYPE") or self.table.stem
        head, tail = self._key(fields, "START_ID"), self._key(fields, "END_ID")
        relation = storable_name(told) if told else ""
        row.edge = edge_of_row(head, relation, tail, values, self._asserted(row))

    def _key(self, fields: Mapping[str, str], kind: str) -> str:
        text, column = self.table.special(fields, kind), self.table.column(kind)
        if not self.spaces or not text or column is None or not column.space:
            return text
        return f"{column.space}:{text}"

    def _asserted(self, row: MappedRow) -> Provenance:
        row.asserted = Provenance(kind="asserted", source=row.file, locator=f"row {row.line}")
        return row.asserted


@contextmanager
def _opened(path: Path, _work: Path) -> Iterator[ImportSource]:
    tables = neo4j_tables(path)
    ids = (table.column("ID") for table in tables)
    spaces = len({column.space for column in ids if column is not None}) > 1
    rows = [_Rows(table, count_lines(table.path), spaces) for table in tables]
    entities = tuple(one for one in rows if one.table.holds_nodes)
    yield ImportSource(
        name=path.name,
        content=sha256_of_text(" ".join(sha256_of_file(table.path) for table in tables)),
        entities=entities,
        edges=tuple(one for one in rows if not one.table.holds_nodes),
        sample=entities,
    )


def _fits(path: Path, _head: bytes) -> bool:
    if not path.is_dir() or (path / NODES).is_file():
        return path.is_dir()  # what is wrong with it is told when it is opened
    try:
        return bool(neo4j_tables(path))
    except EngineError:
        return False


NEO4J = GraphFormat(
    name="neo4j-admin",
    endings=(),
    fits=_fits,
    opened=_opened,
    write=_write,
    loses="empty texts; lists that are empty, mix types, or hold an empty text or U+001F",
)
