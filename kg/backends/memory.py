"""A store in memory, for tests and tiny graphs: a networkx multigraph and nothing faked.

It does not speak Cypher, is not durable and belongs to one process. A transaction works on a copy
of the graph that replaces the original when it ends well, so it costs time in the graph's size.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import Any, NoReturn, Self

import networkx as nx

from kg.backends.indexing import MemoryIndexes
from kg.backends.memory_writer import MemoryWriter
from kg.backends.merging import check_limit
from kg.backends.names import BASE_LABEL
from kg.backends.rows import edge_properties, entity_properties
from kg.changes import KEPT_VERSIONS, MOST_TOUCHED, Changes, Note, changes_of
from kg.errors import ConflictError, MissingPartError, StoreUnavailableError
from kg.indexes import Indexes
from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.row_stream import RowStream
from kg.store import Capabilities, Direction, Stored, Table, Writer
from kg.taken import Taken
from kg.withdrawal import Withdrawal

__all__ = ["MemoryStore"]


class MemoryStore:
    """A `Store` whose graph lives and dies with the object.

    Example:
        >>> with MemoryStore() as store:
        ...     store.upsert_entities([Entity(key=EntityKey("a"), label="Thing", name="A")])
        1
    """

    def __init__(self) -> None:
        kinds: dict[str, set[str]] = {"label": set(), "relation": set()}
        self._graph: nx.MultiDiGraph = nx.MultiDiGraph(kinds=kinds)
        self._version = 0
        self._indexes = MemoryIndexes()
        self._notes: deque[tuple[int, Note]] = deque(maxlen=KEPT_VERSIONS)
        self._lock = threading.RLock()
        self._writing = False
        self._closed = False

    @property
    def capabilities(self) -> Capabilities:
        """Neither Cypher, nor durable, nor shared."""
        return Capabilities(cypher=False, durable=False, shared=False)

    @property
    def version(self) -> int:
        """Change counter of this object."""
        self._check_open()
        return self._version

    @property
    def indexes(self) -> Indexes:
        """Their names alone: nothing here is found by a value."""
        self._check_open()
        return self._indexes

    def close(self) -> None:
        """Refuse every later call."""
        self._closed = True

    def __enter__(self) -> Self:
        """Return the store itself."""
        self._check_open()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[Writer]:
        """Return a context whose writes are committed together at its end, or not at all."""
        self._check_open()
        with self._lock:
            self._refuse_nesting()
            copy = self._graph.copy()
            copy.graph["kinds"] = {k: set(v) for k, v in self._graph.graph["kinds"].items()}
            writer = MemoryWriter(copy)
            self._writing = True
            try:
                yield writer
            finally:
                self._writing = False
            self._graph = copy
            self._count(writer)

    def _refuse_nesting(self) -> None:
        if self._writing:  # by this thread: the lock keeps the others out
            raise ConflictError(
                "this thread has a transaction open", hint="write through the transaction's writer"
            )

    @contextmanager
    def _direct(self) -> Iterator[MemoryWriter]:
        self._check_open()
        with self._lock:
            self._refuse_nesting()
            writer = MemoryWriter(self._graph)
            yield writer
            self._count(writer)

    def _count(self, writer: MemoryWriter) -> None:
        if writer.changed:
            self._version += 1
            touched = Note(frozenset(writer.entities), frozenset(writer.edges))
            whole = len(touched) <= MOST_TOUCHED
            self._notes.append((self._version, touched if whole else Note(whole=False)))

    def changes(self, since: int) -> Changes | None:
        """Return what was touched since a version; see `kg.store.Store`."""
        with self._lock:
            return changes_of(since, self.version, self._notes)

    def upsert_entities(self, rows: Iterable[Entity]) -> int:
        """Add or merge entities; see `kg.store.Writer`."""
        with self._direct() as writer:
            return writer.upsert_entities(rows)

    def upsert_edges(self, rows: Iterable[Edge]) -> int:
        """Add or merge edges; see `kg.store.Writer`."""
        with self._direct() as writer:
            return writer.upsert_edges(rows)

    def replace_entities(self, rows: Iterable[Entity]) -> int:
        """Make entities exactly these rows; see `kg.store.Writer`."""
        with self._direct() as writer:
            return writer.replace_entities(rows)

    def replace_edges(self, rows: Iterable[Edge]) -> int:
        """Make edges exactly these rows; see `kg.store.Writer`."""
        with self._direct() as writer:
            return writer.replace_edges(rows)

    def delete_entities(self, keys: Iterable[EntityKey]) -> int:
        """Delete entities with their edges and return how many there were."""
        with self._direct() as writer:
            return writer.delete_entities(keys)

    def delete_edges(self, keys: Iterable[EdgeKey]) -> int:
        """Delete edges and return how many there were."""
        with self._direct() as writer:
            return writer.delete_edges(keys)

    def withdraw(self, what: Withdrawal) -> int:
        """Take away matching records; see `kg.store.Writer`."""
        with self._direct() as writer:
            return writer.withdraw(what)

    def withdrawn(self, what: Withdrawal) -> Taken:
        """Say what `withdraw` would take away; see `kg.store.Writer`."""
        with self._direct() as writer:
            return writer.withdrawn(what)

    def entity(self, key: EntityKey) -> Entity | None:
        """Return the entity of this key, or None."""
        self._check_open()
        with self._lock:
            return self._graph.nodes[key]["entity"] if key in self._graph else None

    def entities_of(self, keys: Collection[EntityKey]) -> list[Entity]:
        """Return the entities of these keys that are there, in the order of the keys."""
        found = map(self.entity, dict.fromkeys(keys))
        return [entity for entity in found if entity is not None]

    def edges_of(self, keys: Collection[EdgeKey]) -> list[Edge]:
        """Return the edges of these keys that are there, in the order of the keys."""
        self._check_open()
        with self._lock:
            places = [(head, tail, relation) for head, relation, tail in dict.fromkeys(keys)]
            return [self._graph.edges[p]["edge"] for p in places if self._graph.has_edge(*p)]

    def edges_from(
        self, keys: Collection[EntityKey], *, limit: int | None = None, after: EdgeKey | None = None
    ) -> list[Edge]:
        """Return the edges that go out from these entities, in order, those after `after` alone."""
        if limit is not None:
            check_limit(limit)
        found = (edge for head in sorted(set(keys)) for edge in self.edges(head=head))
        return list(islice((edge for edge in found if after is None or edge.key > after), limit))

    def entities(self, label: str | None = None) -> Iterator[Entity]:
        """Iterate entities in the order of their keys, as they were at the call."""
        self._check_open()
        with self._lock:
            rows = [data["entity"] for _, data in self._graph.nodes(data=True)]
        rows.sort(key=lambda row: row.key)
        return (row for row in rows if label is None or row.label == label)

    def edges(
        self,
        *,
        head: EntityKey | None = None,
        relation: str | None = None,
        tail: EntityKey | None = None,
    ) -> Iterator[Edge]:
        """Iterate edges that match, in order, as they were at the call."""
        self._check_open()
        with self._lock:
            if head is not None:
                found = self._graph.out_edges([head], data=True)
            elif tail is not None:
                found = self._graph.in_edges([tail], data=True)
            else:
                found = self._graph.edges(data=True)
            rows = [data["edge"] for *_, data in found]
        rows.sort(key=lambda edge: edge.key)
        return (
            edge
            for edge in rows
            if (relation is None or edge.relation == relation)
            and (tail is None or edge.tail == tail)
        )

    def neighbours(
        self,
        key: EntityKey,
        *,
        relation: str | None = None,
        direction: Direction = "out",
        limit: int = 100,
        after: EdgeKey | None = None,
    ) -> list[Edge]:
        """Return up to `limit` edges at an entity, in order, those after `after` alone."""
        check_limit(limit)
        found: dict[EdgeKey, Edge] = {}
        if direction in ("out", "both"):
            found.update((edge.key, edge) for edge in self.edges(head=key, relation=relation))
        if direction in ("in", "both"):
            found.update((edge.key, edge) for edge in self.edges(tail=key, relation=relation))
        wanted = sorted(edge for edge in found if after is None or edge > after)
        return [found[edge] for edge in wanted[:limit]]

    def stored(self) -> Stored:
        """Return what lies there; see `kg.store.Store`."""
        with self._lock:
            return Stored(
                nodes=[
                    ((BASE_LABEL, one.label), entity_properties(one)) for one in self.entities()
                ],
                edges=[(*one.key, edge_properties(one)) for one in self.edges()],
            )

    def query(
        self,
        cypher: str,  # noqa: ARG002 - refused whatever it is
        parameters: Mapping[str, Any] | None = None,  # noqa: ARG002
        *,
        timeout_s: float = 20.0,  # noqa: ARG002
        max_rows: int = 10_000,  # noqa: ARG002
    ) -> Table:
        """Refuse: this store does not speak Cypher."""
        self._check_open()
        _no_cypher()

    def stream(
        self,
        cypher: str,  # noqa: ARG002 - refused whatever it is
        parameters: Mapping[str, Any] | None = None,  # noqa: ARG002
        *,
        timeout_s: float = 20.0,  # noqa: ARG002
        max_rows: int = 1_000_000,  # noqa: ARG002
    ) -> AbstractContextManager[RowStream]:
        """Refuse: this store does not speak Cypher."""
        self._check_open()
        _no_cypher()

    def execute(
        self,
        cypher: str,  # noqa: ARG002 - refused whatever it is
        parameters: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Table:
        """Refuse: this store does not speak Cypher."""
        self._check_open()
        _no_cypher()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailableError("the store is closed", hint="open it again")


def _no_cypher() -> NoReturn:
    raise MissingPartError(
        "the store in memory does not speak Cypher",
        hint="open a folder or a bolt:// address, or ask through `reasoning`",
    )
