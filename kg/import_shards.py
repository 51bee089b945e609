"""One shard of an import: a range of rows of one table, read, written, accounted for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from kg.errors import ConstraintError, InputError
from kg.import_target import ImportTarget
from kg.jobs import Shard, ShardResult
from kg.mapped_rows import MappedRow
from kg.model import EntityKey

__all__ = ["KNOWN_KEYS", "SHARD_LINES", "EdgeWork", "EntityWork", "RowTable", "plan"]

SHARD_LINES = 2_000
"""Positions of a table in one shard: what a kill can cost, and what memory holds."""

KNOWN_KEYS = 1_000_000
"""Keys that are remembered to be in the store, so that it need not be asked again: some 100 MB."""


class RowTable(Protocol):
    """Rows that become entities, or edges, in the order of their positions."""

    @property
    def positions(self) -> int:
        """Highest position that a row can have: often the lines of a file."""
        ...

    def rows(self, first: int) -> Iterator[MappedRow]:
        """Yield the rows from a position on."""
        ...


def plan(
    tables: Sequence[RowTable], shard_positions: int
) -> tuple[list[dict[str, Any]], list[int]]:
    """Divide tables into ranges of positions.

    Returns:
        Parameters of each shard (``table``, ``first`` and ``last`` position), and its size.

    Raises:
        RecordError: A file is damaged.
    """
    shards, sizes = [], []
    for number, table in enumerate(tables):
        end = table.positions
        for first in range(1, end + 1, shard_positions):
            last = min(first + shard_positions - 1, end)
            shards.append({"table": number, "first": first, "last": last})
            sizes.append(last - first + 1)
    return shards, sizes


class _Cursor:
    """Rows of the tables by ranges; only a range that lies before reads a file again."""

    def __init__(self, tables: Sequence[RowTable]) -> None:
        self._tables = tables
        self._rows: Iterator[MappedRow] = iter(())
        self._ahead: MappedRow | None = None
        self._table, self._next = -1, 0

    def rows(self, shard: Shard) -> list[MappedRow]:
        """Return the rows of a shard."""
        table, first, last = (int(shard.parameters[name]) for name in ("table", "first", "last"))
        if table != self._table or first < self._next:
            self._rows, self._ahead = self._tables[table].rows(first), None
        # At no place until all rows of the shard were taken, whatever ends it.
        self._table = -1
        taken = []
        while (row := self._ahead or next(self._rows, None)) is not None:
            self._ahead = row if row.position > last else None
            if self._ahead is not None:
                break
            if row.position >= first:
                taken.append(row)
        self._table, self._next = table, last + 1
        return taken


class EntityWork:
    """Writes entities.

    Args:
        tables: Their rows.
        target: Where to.
        known: Keys that are in the store; those written are added.
        job: Id of the import, for the records of its rows.
    """

    kind = "import-entities"

    def __init__(
        self, tables: Sequence[RowTable], target: ImportTarget, known: set[EntityKey], job: str
    ) -> None:
        self.tables = tables
        self._job = job
        self._target = target
        self._known = known
        self._cursor = _Cursor(tables)

    def __call__(self, shard: Shard) -> ShardResult:
        """Write the entities of a shard."""
        rows = self._cursor.rows(shard)
        for row in rows:
            row.stamp(self._job)
        made = [row for row in rows if row.entity is not None]
        try:
            self._target.upsert_entities(row.entity for row in made if row.entity)
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
            self._target.upsert_entities([row.entity] if row.entity else [])
        except (ConstraintError, InputError) as error:
            row.blame(error)
            row.entity = None


class EdgeWork:
    """Writes edges; run it when all entities are written.

    Args:
        tables: Their rows.
        target: Where to.
        known: Keys that are in the store; those found there are added.
        job: Id of the import, for the records of its rows.
    """

    kind = "import-edges"

    def __init__(
        self, tables: Sequence[RowTable], target: ImportTarget, known: set[EntityKey], job: str
    ) -> None:
        self.tables = tables
        self._job = job
        self._target = target
        self._known = known
        self._cursor = _Cursor(tables)

    def __call__(self, shard: Shard) -> ShardResult:
        """Write the edges of a shard; one that lacks an end is a reject."""
        rows = self._cursor.rows(shard)
        for row in rows:
            row.stamp(self._job)
        for row in rows:
            if row.edge is not None:
                self._refuse_missing_end(row)
        made = [row for row in rows if row.edge is not None]
        try:
            self._target.upsert_edges(row.edge for row in made if row.edge)
        except (ConstraintError, InputError):
            for row in made:
                self._write_alone(row)
        return _result(rows, {"edges": sum(row.edge is not None for row in made)})

    def _refuse_missing_end(self, row: MappedRow) -> None:
        for name, key in (("head", row.edge.head), ("tail", row.edge.tail)) if row.edge else ():
            if key not in self._known:
                if not self._target.holds(key):
                    error = ConstraintError(f"there is no entity {key!r}")
                    row.blame(error, name)
                    row.edge = None
                    return
                if len(self._known) < KNOWN_KEYS:
                    self._known.add(key)

    def _write_alone(self, row: MappedRow) -> None:
        try:
            self._target.upsert_edges([row.edge] if row.edge else [])
        except (ConstraintError, InputError) as error:
            row.blame(error)
            row.edge = None


def _result(rows: list[MappedRow], counts: dict[str, int]) -> ShardResult:
    rejects = [reject for row in rows for reject in row.rejects]
    output = "".join(reject.to_json() + "\n" for reject in rejects)
    return ShardResult(output=output.encode(), counts=counts | {"rejects": len(rejects)})
