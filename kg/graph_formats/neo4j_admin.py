r"""CSV as ``neo4j-admin database import`` takes it: ``nodes.csv`` and ``relationships.csv``.

    neo4j-admin database import full --nodes=nodes.csv --relationships=relationships.csv \
        --array-delimiter=U+001F --multiline-fields=true

Columns are the flat properties of `kg.graph_formats.properties` with Neo4j's types. CSV cannot tell
an empty text from none, and Neo4j knows no empty and no mixed lists: those are lost.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from kg.errors import EngineError, RecordError
from kg.files import atomic_write, sha256_of_file, sha256_of_text
from kg.formats.csv import csv_columns, read_csv
from kg.formats.records import Reject, count_lines
from kg.graph_formats.properties import LABEL, edge_of_row, edge_row, entity_of_row, entity_row
from kg.graph_formats.protocol import Graph, GraphFormat, Tally, Written
from kg.import_sources import ImportSource
from kg.mapped_rows import MappedRow
from kg.progress import Progress
from kg.provenance import Provenance
from kg.value_types import convert

__all__ = ["NEO4J"]

NODES, EDGES = "nodes.csv", "relationships.csv"
BETWEEN = "\x1f"
KEY, HEAD, TAIL, KIND, TYPE = "key:ID", ":START_ID", ":END_ID", ":LABEL", ":TYPE"
_TYPES = {bool: "boolean", int: "long", float: "double", str: "string"}
_READ = {
    "boolean": "bool", "int": "int", "long": "int", "short": "int", "byte": "int",
    "float": "float", "double": "float",
}  # fmt: skip

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
    path: Path
    positions: int
    take: Callable[[MappedRow, dict[str, str]], None]

    def rows(self, first: int) -> Iterator[MappedRow]:
        for record in read_csv(self.path):
            row = MappedRow(file=self.path.name, line=record.line, text=record.text)
            if row.position < first:
                continue
            if isinstance(record, Reject):
                row.rejects.append(record)
            else:
                try:
                    self.take(row, dict(record.fields))
                except EngineError as error:
                    row.blame(error)
            yield row


@contextmanager
def _opened(path: Path, _work: Path) -> Iterator[ImportSource]:
    files = path / NODES, path / EDGES
    _require(files[0], KEY, KIND)
    _require(files[1], HEAD, TAIL, TYPE)
    entities = (_Rows(files[0], count_lines(files[0]), _entity),)
    yield ImportSource(
        name=path.name,
        content=sha256_of_text(" ".join(map(sha256_of_file, files))),
        entities=entities,
        edges=(_Rows(files[1], count_lines(files[1]), _edge),),
        sample=entities,
    )


def _require(path: Path, *columns: str) -> None:
    named = csv_columns(path)
    missing = [
        name for name in columns if not any(column.endswith(f":{name.rpartition(':')[2]}")
                                            for column in named)
    ]  # fmt: skip
    if missing:
        raise RecordError(f"no column {missing[0]}", path=str(path), line=1)


def _entity(row: MappedRow, fields: dict[str, str]) -> None:
    special, values = _parted(fields)
    key = special.get("ID", "")
    labels = special.get("LABEL", "").split(";")
    name = values.get("name") or key
    found = {**values, "key": key, "name": name}
    if labels[0]:
        found[LABEL] = labels[0]
    row.entity = entity_of_row(found, _asserted(row))


def _edge(row: MappedRow, fields: dict[str, str]) -> None:
    special, values = _parted(fields)
    ends = (special.get("START_ID", ""), special.get("TYPE", ""), special.get("END_ID", ""))
    row.edge = edge_of_row(*ends, values, _asserted(row))


def _asserted(row: MappedRow) -> Provenance:
    return Provenance(kind="asserted", source=row.file, locator=f"row {row.line}")


def _parted(fields: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return ends, labels and types by what they are, and properties by their names."""
    special: dict[str, str] = {}
    values: dict[str, Any] = {}
    for column, text in fields.items():
        name, _, kind = column.partition(":")
        kind = kind.partition("(")[0]  # ID(space): one space of ids is read
        if kind in ("ID", "START_ID", "END_ID", "LABEL", "TYPE"):
            special[kind] = text
        elif text and kind != "IGNORE" and name not in values:
            declared = _READ.get(kind.removesuffix("[]"), "str")
            if kind.endswith("[]"):
                declared, parts = f"{declared}[]", text.split(BETWEEN)
                values[name] = convert(parts, declared, column=name)
            else:
                values[name] = convert(text, declared, column=name)
    return special, values


NEO4J = GraphFormat(
    name="neo4j-admin",
    endings=(),
    fits=lambda path, _head: (path / NODES).is_file() and (path / EDGES).is_file(),
    opened=_opened,
    write=_write,
    loses="empty texts; lists that are empty, mix types, or hold an empty text or U+001F",
)
