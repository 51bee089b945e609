"""One shard of an import: a range of lines of one file, read, mapped, written, accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from kg.errors import ConstraintError, InputError
from kg.formats.records import count_lines
from kg.jobs import Shard, ShardResult
from kg.mapped_rows import ImageReader, MappedRow, edge_rows, entity_rows
from kg.mapping import EdgeTable, EntityTable, GraphMapping
from kg.model import EntityKey
from kg.store import Store

__all__ = ["KNOWN_KEYS", "SHARD_LINES", "EdgeWork", "EntityWork", "plan"]

SHARD_LINES = 2_000
"""Lines of a file in one shard: what a kill can cost, and what memory holds."""

KNOWN_KEYS = 1_000_000
"""Keys that are remembered to be in the store, so that it need not be asked again: some 100 MB."""

Table = TypeVar("Table")


def plan(
    tables: Sequence[EntityTable | EdgeTable], shard_lines: int
) -> tuple[list[dict[str, Any]], list[int]]:
    """Divide the files of tables into ranges of lines.

    Returns:
        Parameters of each shard (``table``, ``first`` and ``last`` line), and its number of lines.

    Raises:
        RecordError: A file is damaged.
    """
    counted: dict[Path, int] = {}
    shards, sizes = [], []
    for number, table in enumerate(tables):
        file = table.source.file
        if file not in counted:
            counted[file] = count_lines(file)
        for first in range(1, counted[file] + 1, shard_lines):
            last = min(first + shard_lines - 1, counted[file])
            shards.append({"table": number, "first": first, "last": last})
            sizes.append(last - first + 1)
    return shards, sizes


class _Cursor(Generic[Table]):
    """Rows of the tables by ranges of lines; only a range that lies before reads a file again."""

    def __init__(
        self, tables: Sequence[Table], read: Callable[[Table, int], Iterator[MappedRow]]
    ) -> None:
        self._tables = tables
        self._read = read
        self._rows: Iterator[MappedRow] = iter(())
        self._ahead: MappedRow | None = None
        self._table, self._line = -1, 0

    def rows(self, shard: Shard) -> list[MappedRow]:
        """Return the rows of a shard."""
        table, first, last = (int(shard.parameters[name]) for name in ("table", "first", "last"))
        if table != self._table or first < self._line:
            self._rows, self._ahead = self._read(self._tables[table], first), None
        # At no place until all rows of the shard were taken, whatever ends it.
        self._table = -1
        taken = []
        while (row := self._ahead or next(self._rows, None)) is not None:
            self._ahead = row if row.line > last else None
            if self._ahead is not None:
                break
            if row.line >= first:
                taken.append(row)
        self._table, self._line = table, last + 1
        return taken


class EntityWork:
    """Writes the entities of a mapping.

    Args:
        mapping: The mapping.
        store: Where to.
        add_image: Keeps a picture and returns what is known of it.
        known: Keys that are in the store; those written are added.
    """

    kind = "import-entities"

    def __init__(
        self, mapping: GraphMapping, store: Store, add_image: ImageReader, known: set[EntityKey]
    ) -> None:
        self.tables = mapping.entities
        self._store = store
        self._known = known
        self._cursor = _Cursor(
            self.tables, lambda table, first: entity_rows(table, add_image, first_line=first)
        )

    def __call__(self, shard: Shard) -> ShardResult:
        """Write the entities of a shard."""
        rows = self._cursor.rows(shard)
        made = [row for row in rows if row.entity is not None]
        try:
            self._store.upsert_entities(row.entity for row in made if row.entity)
        except (ConstraintError, InputError):
            for row in made:
                self._write_alone(row)
        written = [row.entity for row in made if row.entity is not None]
        if len(self._known) + len(written) <= KNOWN_KEYS:
            self._known.update(entity.key for entity in written)
        images = sum(len(entity.images) for entity in written)
        return _result(rows, {"entities": len(written), "images": images})

    def _write_alone(self, row: MappedRow) -> None:
        try:
            self._store.upsert_entities([row.entity] if row.entity else [])
        except (ConstraintError, InputError) as error:
            row.blame(error)
            row.entity = None


class EdgeWork:
    """Writes the edges of a mapping; run it when all entities are written.

    Args:
        mapping: The mapping.
        store: Where to.
        known: Keys that are in the store; those found there are added.
    """

    kind = "import-edges"

    def __init__(self, mapping: GraphMapping, store: Store, known: set[EntityKey]) -> None:
        self.tables = mapping.edges
        self._store = store
        self._known = known
        self._cursor = _Cursor(self.tables, lambda table, first: edge_rows(table, first_line=first))

    def __call__(self, shard: Shard) -> ShardResult:
        """Write the edges of a shard; one that lacks an end is a reject."""
        rows = self._cursor.rows(shard)
        for row in rows:
            if row.edge is not None:
                self._refuse_missing_end(row)
        made = [row for row in rows if row.edge is not None]
        try:
            self._store.upsert_edges(row.edge for row in made if row.edge)
        except (ConstraintError, InputError):
            for row in made:
                self._write_alone(row)
        return _result(rows, {"edges": sum(row.edge is not None for row in made)})

    def _refuse_missing_end(self, row: MappedRow) -> None:
        for name, key in (("head", row.edge.head), ("tail", row.edge.tail)) if row.edge else ():
            if key not in self._known:
                if self._store.entity(key) is None:
                    error = ConstraintError(f"there is no entity {key!r}")
                    row.blame(error, name)
                    row.edge = None
                    return
                if len(self._known) < KNOWN_KEYS:
                    self._known.add(key)

    def _write_alone(self, row: MappedRow) -> None:
        try:
            self._store.upsert_edges([row.edge] if row.edge else [])
        except (ConstraintError, InputError) as error:
            row.blame(error)
            row.edge = None


def _result(rows: list[MappedRow], counts: dict[str, int]) -> ShardResult:
    rejects = [reject for row in rows for reject in row.rejects]
    output = "".join(reject.to_json() + "\n" for reject in rejects)
    return ShardResult(output=output.encode(), counts=counts | {"rejects": len(rejects)})
