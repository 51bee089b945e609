"""The store behind a Bolt server: the embedded engine or Neo4j, by the official driver.

Neither server honours every limit that a client sends over Bolt: a time limit is kept by ending the
query at the server, and untrusted text passes `kg.cypher.check` and runs as the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

from kg.backends import statements
from kg.backends.alone import made_alone
from kg.backends.connection import Connection
from kg.backends.indexing import BoltIndexes
from kg.backends.links import Link
from kg.backends.looking_up import edge_rows, edges_from, edges_of, entities_of, neighbours
from kg.backends.names import is_name
from kg.backends.reading import Reader, named
from kg.backends.rows import edge_from_row, entity_from_row
from kg.backends.stored import stored_by
from kg.backends.translation import translated
from kg.backends.writer import TransactionWriter
from kg.changes import Changes, changes_of
from kg.indexes import Indexes
from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.progress import Progress, silent
from kg.row_stream import RowStream
from kg.store import Capabilities, Direction, Stored, Table, Writer
from kg.taken import Taken
from kg.withdrawal import Withdrawal

if TYPE_CHECKING:
    from kg.backends.engine_http import RunningQuery
    from kg.import_target import ImportTarget
    from kg.snapshot_arrays import Snapshot

__all__ = ["BoltStore"]

LOAD_CHUNK = 5000
T = TypeVar("T")


class BoltStore:
    """A `Store` behind Bolt. Open one with `kg.backends.open_store`.

    Every write is one transaction, tried again when the server asks for it or went away: writes
    are idempotent. Inside `transaction` nothing is tried again, since its block cannot be.

    Args:
        link: The server.

    Raises:
        StoreUnavailableError: It cannot be reached or started.
    """

    def __init__(self, link: Link) -> None:
        self._connection = Connection(link)
        self._reader = Reader(self._connection)

    @property
    def capabilities(self) -> Capabilities:
        """All there are."""
        return Capabilities(cypher=True, durable=True, shared=True)

    @property
    def version(self) -> int:
        """Change counter, kept in the graph; grows with every write that changed something."""
        return int(self._connection.read(self._connection.link.read_version, {})[0][0] or 0)

    def changes(self, since: int) -> Changes | None:
        """Return what was touched since a version; see `kg.store.Store`."""
        return changes_of(since, self.version, self._connection.notes(since))

    def close(self) -> None:
        """Release the store; calling it twice is harmless."""
        self._connection.close()

    def __enter__(self) -> Self:
        """Return the store itself."""
        self._connection.check_open()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()

    @property
    def indexes(self) -> Indexes:
        """The indexes of attributes; see `kg.indexes`."""
        return BoltIndexes(self._connection)

    @contextmanager
    def transaction(self) -> Iterator[Writer]:
        """Return a context whose writes are committed together at its end, or not at all.

        Raises:
            StoreTransientError: The server asks to try again; run the whole block again.
            StoreUnavailableError: It went away; nothing of the block may be taken as written.
        """
        self._connection.check_open()
        with self._connection.writing() as counted:
            yield TransactionWriter(counted, self._connection.link)

    def _write(self, work: Callable[[Writer], T]) -> T:
        def once() -> T:
            with self.transaction() as writer:
                return work(writer)

        return self._connection.again(once)

    def upsert_entities(self, rows: Iterable[Entity]) -> int:
        """Add or merge entities; see `kg.store.Writer`."""
        kept = list(rows)
        return self._write(lambda writer: writer.upsert_entities(kept))

    def upsert_edges(self, rows: Iterable[Edge]) -> int:
        """Add or merge edges; see `kg.store.Writer`."""
        kept = list(rows)
        if len(kept) == 1 and made_alone(self._connection, kept[0]):
            return 1
        return self._write(lambda writer: writer.upsert_edges(kept))

    def replace_entities(self, rows: Iterable[Entity]) -> int:
        """Make entities exactly these rows; see `kg.store.Writer`."""
        kept = list(rows)
        return self._write(lambda writer: writer.replace_entities(kept))

    def replace_edges(self, rows: Iterable[Edge]) -> int:
        """Make edges exactly these rows; see `kg.store.Writer`."""
        kept = list(rows)
        return self._write(lambda writer: writer.replace_edges(kept))

    def delete_entities(self, keys: Iterable[EntityKey]) -> int:
        """Delete entities with their edges and return how many there were."""
        kept = list(keys)
        return self._write(lambda writer: writer.delete_entities(kept))

    def delete_edges(self, keys: Iterable[EdgeKey]) -> int:
        """Delete edges and return how many there were."""
        kept = list(keys)
        return self._write(lambda writer: writer.delete_edges(kept))

    def withdraw(self, what: Withdrawal) -> int:
        """Take away matching records; see `kg.store.Writer`."""
        return self._write(lambda writer: writer.withdraw(what))

    def withdrawn(self, what: Withdrawal) -> Taken:
        """Say what `withdraw` would take away; see `kg.store.Writer`."""
        return self._write(lambda writer: writer.withdrawn(what))

    def bulk_load(
        self,
        entities: Iterable[Entity],
        edges: Iterable[Edge],
        *,
        progress: Progress = silent,
        chunk: int = LOAD_CHUNK,
    ) -> int:
        """Write many rows and return how many; call it again after any interruption.

        Into an empty embedded graph all is loaded at once (`kg.backends.loading`) and is there at
        the end, or nothing of it. Else rows are upserted, a transaction a chunk, and what is there
        costs only its reading. So the same load again completes it: no row is lost or doubled.

        Args:
            entities: All entities, taken before the first edge.
            edges: All edges.
            progress: Told the number of rows written, of all if both are lists.
            chunk: Rows of a transaction.

        Raises:
            ConflictError: Another process wrote during a first load.
        """
        from kg.backends.loading import load  # numpy is slow to import

        return load(self, self._connection, entities, edges, progress=progress, chunk=chunk)

    def first_load(self) -> AbstractContextManager[ImportTarget] | None:
        """Return a context that loads an empty embedded graph; see `kg.import_target`."""
        from kg.backends.loading import first_load

        self._connection.check_open()
        return first_load(self, self._connection)

    def entity(self, key: EntityKey) -> Entity | None:
        """Return the entity of this key, or None."""
        rows = self._connection.read(statements.ENTITY, {"key": key})
        return entity_from_row(*rows[0]) if rows else None

    def entities_of(self, keys: Collection[EntityKey]) -> list[Entity]:
        """Return the entities of these keys that are there, in the order of the keys."""
        return entities_of(self._connection, keys)

    def edges_of(self, keys: Collection[EdgeKey]) -> list[Edge]:
        """Return the edges of these keys that are there, in the order of the keys."""
        return edges_of(self._connection, keys)

    def edges_from(
        self, keys: Collection[EntityKey], *, limit: int | None = None, after: EdgeKey | None = None
    ) -> list[Edge]:
        """Return the edges that go out from these, in order (the engine's order makes the cut)."""
        return edges_from(self._connection, keys, limit=limit, after=after)

    def entities(self, label: str | None = None) -> Iterator[Entity]:
        """Iterate entities in the order of their keys, as they were at the call."""
        self._connection.check_open()
        known = label is None or is_name(label)
        text = statements.entities(label) if label and known else statements.ENTITIES
        rows = self._connection.read(text, {}) if known else []
        # engines order texts by UTF-16 units, Python by code points
        found = (entity_from_row(*row) for row in sorted(rows, key=lambda row: row[1]["key"]))
        return (entity for entity in found if label is None or entity.label == label)

    def edges(
        self,
        *,
        head: EntityKey | None = None,
        relation: str | None = None,
        tail: EntityKey | None = None,
    ) -> Iterator[Edge]:
        """Iterate edges that match, in order, as they were at the call."""
        self._connection.check_open()
        rows = edge_rows(self._connection, head=head, relation=relation, tail=tail)
        return (edge_from_row(*row) for row in sorted(rows, key=lambda row: row[:3]))

    def neighbours(
        self,
        key: EntityKey,
        *,
        relation: str | None = None,
        direction: Direction = "out",
        limit: int = 100,
        after: EdgeKey | None = None,
    ) -> list[Edge]:
        """Return up to `limit` edges at an entity, in order (the engine's order makes the cut)."""
        return neighbours(
            self._connection, key, direction, limit=limit, relation=relation, after=after
        )

    def stored(self) -> Stored:
        """Return what lies there, as it lies there; see `kg.store.Store`."""
        return stored_by(self._connection)

    def freeze(self) -> Snapshot:
        """Return a snapshot of the graph as it is; see `kg.snapshot_building`."""
        from kg.backends.freezing import frozen  # pyarrow is slow to import

        self._connection.check_open()
        return frozen(self, self._connection)

    def query(
        self,
        cypher: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        timeout_s: float = 20.0,
        max_rows: int = 10_000,
    ) -> Table:
        """Answer a read-only Cypher query as the reader role; see `kg.store.Store`."""
        return self._reader.table(cypher, parameters, timeout_s=timeout_s, max_rows=max_rows)

    def stream(
        self,
        cypher: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        timeout_s: float = 20.0,
        max_rows: int = 1_000_000,
    ) -> AbstractContextManager[RowStream]:
        """Return a context that gives rows as they are made; see `kg.store.Store`."""
        return self._reader.stream(cypher, parameters, timeout_s=timeout_s, max_rows=max_rows)

    def execute(self, cypher: str, parameters: Mapping[str, Any] | None = None) -> Table:
        """Run trusted Cypher that may write, once; never pass it text from outside."""
        from kg.backends.values import parameters_of, plain

        values = parameters_of(parameters)

        def once() -> Table:
            with self._connection.writing(once=True) as counted:
                columns, rows = counted.raw(cypher, values)  # trusted, says the protocol
                shown = tuple(tuple(plain(v) for v in row) for row in rows)
                return Table(columns=named(columns, cypher), rows=shown)

        return self._connection.again(once)

    def running_queries(self) -> list[RunningQuery]:
        """Return the queries that run on this graph now, of every client."""
        self._connection.check_open()
        with translated():
            return self._connection.link.running()

    def end_query(self, query: str) -> bool:
        """End a running query by its id; False if it has ended already."""
        self._connection.check_open()
        with translated():
            return self._connection.link.end(query)
