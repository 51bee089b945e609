"""The tables of a folder of CSV as ``neo4j-admin database import`` takes them, and their columns.

Umbra writes two files; others write one for each sort of node and relationship, with headers apart
(``movies-header.csv`` for ``movies.csv`` or ``movies-part1.csv``), ids that are unique within their
space only, and lists with ``;`` between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from kg.backends.names import RESERVED_ATTRIBUTES, storable_names
from kg.errors import InputError, RecordError
from kg.formats.csv import csv_columns
from kg.mapped_rows import MappedRow
from kg.value_types import convert

__all__ = ["BETWEEN", "Column", "Neo4jTable", "neo4j_tables"]

BETWEEN, BETWEEN_OF_OTHERS = "\x1f", ";"
"""What stands between the items of a list, and what Neo4j's own default is."""

_ENDS = ("ID", "START_ID", "END_ID", "LABEL", "TYPE")
_READ = {
    "boolean": "bool", "int": "int", "long": "int", "short": "int", "byte": "int",
    "float": "float", "double": "float",
}  # fmt: skip
_PLAIN_FILES = ("nodes", "relationships")


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        header: As it stands in the file.
        name: Of the property; empty where it has none.
        kind: Neo4j's type, or one of ``ID``, ``START_ID``, ``END_ID``, ``LABEL``, ``TYPE``,
            ``IGNORE``.
        space: Space of the ids; empty for the space that all share.
    """

    header: str
    name: str
    kind: str
    space: str = ""

    @classmethod
    def of(cls, header: str) -> Self:
        """Read a header.

        Example:
            >>> Column.of("movieId:ID(Movie)").space, Column.of("tags:string[]").kind
            ('Movie', 'string[]')
        """
        name, _, kind = header.partition(":")
        kind, _, space = kind.strip().partition("(")
        kind, _, _ = kind.partition("{")  # point{crs:…}, datetime{timezone:…}, ID{label:…}
        return cls(header=header, name=name.strip(), kind=kind, space=space.partition(")")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Neo4jTable:
    """A file with its columns.

    Attributes:
        path: The file.
        columns: In order.
        apart: Whether its header stands in another file.
        names: What each property is called in the graph.
        own: Whether Umbra wrote it.
    """

    path: Path
    columns: tuple[Column, ...]
    apart: bool
    names: Mapping[str, str]
    own: bool

    @property
    def holds_nodes(self) -> bool:
        """Whether a row is a node, and not a relationship."""
        return self.column("ID") is not None

    @property
    def stem(self) -> str:
        """Name of the file without its ending; empty for a file of all nodes or relationships."""
        stem = self.path.name.partition(".")[0]
        return "" if stem in _PLAIN_FILES else stem

    def column(self, kind: str) -> Column | None:
        """Return the first column of a kind."""
        return next((column for column in self.columns if column.kind == kind), None)

    def special(self, fields: Mapping[str, str], kind: str) -> str:
        """Return the text of a row's end, label or type; an empty one if it has none."""
        column = self.column(kind)
        return "" if column is None else fields.get(column.header, "")

    def properties(self, fields: Mapping[str, str], row: MappedRow) -> dict[str, Any]:
        """Return the properties of a row; a value that is not of its type is a reject of the row.

        The id of somebody else's node is a property, too, where its column has a name.
        """
        found: dict[str, Any] = {}
        for column in self.columns:
            text = fields.get(column.header, "")
            kept = column.kind not in (*_ENDS, "IGNORE") or (column.kind == "ID" and not self.own)
            name = self.names.get(column.name) if kept and text and column.name else None
            if name is None or name in found:
                continue
            try:
                found[name] = self._value(text, column)
            except (InputError, RecordError) as error:
                row.blame(error, column.name)
        return found

    def _value(self, text: str, column: Column) -> Any:
        kind = _READ.get(column.kind.removesuffix("[]"), "str")
        if not column.kind.endswith("[]"):
            return convert(text, kind, column=column.name)
        between = BETWEEN if self.own or BETWEEN in text else BETWEEN_OF_OTHERS
        return convert(text.split(between), f"{kind}[]", column=column.name)


def neo4j_tables(folder: Path) -> tuple[Neo4jTable, ...]:
    """Return the tables of a folder: those of nodes, then those of relationships, by name.

    Raises:
        RecordError: A file has no header and none stands apart for it, or there are no nodes.
    """
    files = sorted(_files(folder))
    headers = {path: csv_columns(path) for path in files if _is_header(path)}
    tables = []
    for path in files:
        if path in headers:
            continue
        apart = _header_for(path, headers)
        names = headers[apart] if apart is not None else csv_columns(path)
        tables.append(_table(path, names, apart=apart is not None))
    if not any(table.holds_nodes for table in tables):
        raise RecordError(
            "no file of nodes",
            path=str(folder),
            hint="its header has a column such as id:ID, as neo4j-admin's import takes it",
        )
    own = any(table.own for table in tables)  # Umbra's relationships look like anybody's
    tables = [_table(t.path, [c.header for c in t.columns], apart=t.apart, own=own) for t in tables]
    return tuple(sorted(tables, key=lambda table: not table.holds_nodes))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.name.endswith((".csv", ".csv.gz")))


def _is_header(path: Path) -> bool:
    return path.name.partition(".")[0].endswith(("-header", "_header"))


def _header_for(path: Path, headers: Mapping[Path, Sequence[str]]) -> Path | None:
    """Return the header with the longest name that the file's name begins with."""
    fitting = (
        h for h in headers if path.name.startswith(h.name.partition(".")[0][: -len("-header")])
    )
    return max(fitting, key=lambda header: len(header.name), default=None)


def _table(
    path: Path, header: Sequence[str], *, apart: bool, own: bool | None = None
) -> Neo4jTable:
    columns = tuple(map(Column.of, header))
    kinds = {column.kind for column in columns}
    if "ID" not in kinds and not {"START_ID", "END_ID"} <= kinds:
        raise RecordError(
            "no column :ID, and not both :START_ID and :END_ID",
            path=str(path),
            line=1,
            hint="a header that stands apart is called NAME-header.csv for NAME.csv",
        )
    if own is None:
        own = header[0] == "key:ID"
    properties = [c.name for c in columns if c.name and (c.kind not in _ENDS or c.kind == "ID")]
    return Neo4jTable(
        path=path,
        columns=columns,
        apart=apart,
        names={name: name for name in properties} if own else _storable(columns, properties),
        own=own,
    )


def _storable(columns: Sequence[Column], properties: Sequence[str]) -> dict[str, str]:
    nodes = any(column.kind == "ID" for column in columns)
    listed = ("aliases", "string[]") in {(column.name, column.kind) for column in columns}
    fields = {"name", *(("aliases",) if listed else ())} if nodes else set()
    kept = fields & set(properties)
    taken = (RESERVED_ATTRIBUTES if nodes else frozenset()) | kept
    others = (name for name in properties if name not in kept)
    return {**storable_names(others, taken=taken), **{name: name for name in kept}}
