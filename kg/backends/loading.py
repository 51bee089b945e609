"""Loading many rows: the first load of an embedded graph at once, any other in chunks.

The engine's batch endpoint is several times faster than statements, but neither atomic nor
idempotent. So a first load goes into a database beside the graph, which takes its place when it is
whole and synced to disk. Nothing is sent twice: what a process that died has loaded is thrown away.
What comes twice in the input is merged by ordinary upserts. Memory grows by about 150 bytes an
entity (its key and record id) and 8 bytes an edge, besides two requests of `MOST_PACKED`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sized
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from itertools import compress
from json.encoder import encode_basestring as quoted  # what an encoder itself writes texts by
from typing import TYPE_CHECKING

import numpy as np

from kg.backends import statements
from kg.backends.load_requests import Pieces, Request, Waiting
from kg.backends.merging import checked_edge, checked_entity, merge_edge, merge_entity, missing_end
from kg.backends.rows import RECORDS, edge_properties, entity_properties
from kg.backends.seen_edges import SeenEdges
from kg.backends.writer import chunks
from kg.import_target import ImportTarget, LoadEnded
from kg.model import Edge, Entity, EntityKey
from kg.progress import Progress

if TYPE_CHECKING:
    from kg.backends.bolt import BoltStore
    from kg.backends.connection import Connection
    from kg.backends.links import FastLink

__all__ = ["ROWS", "first_load", "load"]

ENTITY_ROWS = 10_000
"""Vertices of a request: as many as the engine commits together."""
ROWS = 100_000
"""Fewest edges of a request, but for the last one."""
MOST_LETTERS = 250_000_000
"""Most text of a request, a gigabyte at most (`kg.backends.engine_schema.LONG_REQUESTS`)."""
MOST_PACKED = 64_000_000
"""Most memory that compressed edges take while they wait for the engine; see `EDGE_HEAP_BYTES`."""
EDGE_HEAP_BYTES = 1_000
"""The engine's heap for each edge of the longest request: it keeps up to 330 bytes of each until
the request ends, and pages in a quarter of its heap. Longer requests cost it less: at the end of
each it writes the entities at its edges' ends anew."""
TOGETHER = 20_000
"""Edges that the engine makes together. More would live through several of its collections of
garbage, which then take longer than the work. As edges come in the order of their heads, it visits
no head more often for that."""
COMMITTED = 10_000
"""Edges, or entities at their ends, of one of the engine's transactions: it keeps all of them in
memory until its end."""
_ON_THE_WAY = ""
"""In place of the record id of an entity whose request has not been answered."""
_encoded = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


def load(
    store: BoltStore,
    connection: Connection,
    entities: Iterable[Entity],
    edges: Iterable[Edge],
    *,
    progress: Progress,
    chunk: int,
) -> int:
    """Write many rows; see `kg.backends.bolt.BoltStore.bulk_load`.

    Args:
        store: Where to.
        connection: The same.
        entities: All entities, taken before the first edge.
        edges: All edges.
        progress: Told rows written.
        chunk: Rows of a transaction, where there is something already.
    """
    total = 0
    if isinstance(entities, Sized) and isinstance(edges, Sized):
        total = len(entities) + len(edges)
    first = first_load(store, connection)
    if first is not None:
        with first as target:
            return _written(target, entities, edges, (ENTITY_ROWS, ROWS), progress, total)
    return _written(store, entities, edges, (chunk, chunk), progress, total)


def _written(
    target: ImportTarget | BoltStore,
    entities: Iterable[Entity],
    edges: Iterable[Edge],
    sizes: tuple[int, int],
    progress: Progress,
    total: int,
) -> int:
    done = 0
    for some in chunks(entities, sizes[0]):
        done += target.upsert_entities(some)
        progress(done, total)
    for part in chunks(edges, sizes[1]):
        done += target.upsert_edges(part)
        progress(done, total)
    return done


def first_load(
    store: BoltStore, connection: Connection
) -> AbstractContextManager[ImportTarget] | None:
    """Return a context that loads an empty store; see `kg.backends.bolt.BoltStore.first_load`."""
    if store.version or connection.read(statements.ANY, {}):
        return None
    beside = connection.link.beside()
    return None if beside is None else _first_load(store, connection, beside)


@contextmanager
def _first_load(
    store: BoltStore, connection: Connection, beside: AbstractContextManager[FastLink]
) -> Iterator[ImportTarget]:
    ended: LoadEnded | None = None
    with beside as link, type(store)(link) as newer:
        with ThreadPoolExecutor(1) as sender:
            first = _FirstLoad(newer, link, sender)
            try:
                yield first
            except LoadEnded as error:
                ended = error
            first.end()
        newer.execute("RETURN 1")  # counts as a write: the graph is not as it was
    connection.renew()
    if ended is not None:
        raise ended


class _FirstLoad:
    """Loads rows into a database that nobody else uses.

    Args:
        store: The database, empty but for its schema.
        link: The same, as the engine sees it.
        sender: Sends edges while others are made ready; one thread.
    """

    def __init__(self, store: BoltStore, link: FastLink, sender: Executor) -> None:
        self._store = store
        self._link = link
        self._sender = sender
        self._ids: dict[EntityKey, str] = {}
        self._seen = SeenEdges()
        self._relations: set[str] = set()
        self._named: set[str] = set()
        self._ready = Waiting()
        self._sent: Request | None = None

    def holds(self, key: EntityKey) -> bool:
        """Tell whether there is an entity of this key."""
        return key in self._ids

    def upsert_entities(self, rows: Iterable[Entity]) -> int:
        """Add or merge entities; see `kg.store.Writer`."""
        done = 0
        for some in chunks(rows, ENTITY_ROWS):
            self._entities(some)
            done += len(some)
        return done

    def upsert_edges(self, rows: Iterable[Edge]) -> int:
        """Add or merge edges; see `kg.store.Writer`. They are sent when there are many."""
        kept = list(rows)
        if self._sent is not None and self._sent.keys:
            self._settle()
        lines = [self._edge_line(self._checked(row)) for row in kept]
        self._relations_ready({row.relation for row in kept})
        hashes = np.fromiter((hash(row.key) for row in kept), dtype=np.int64, count=len(kept))
        suspects = self._seen.suspects(hashes)
        again = list(compress(kept, suspects))
        first = kept
        if again:
            first, lines = list(compress(kept, ~suspects)), list(compress(lines, ~suspects))
        self._ready.add([self._place(row.head) for row in first], lines)
        is_free = self._sent is None or self._sent.is_done
        if again:
            self.end()
            self._store.upsert_edges(again)
        elif self._is_long() or (is_free and self._ready.edges >= ROWS):
            self._flush()
        return len(kept)

    def _is_long(self) -> bool:
        ready, most = self._ready, max(ROWS, self._link.heap_bytes // EDGE_HEAP_BYTES)
        return ready.edges >= most or ready.packed >= MOST_PACKED or ready.letters >= MOST_LETTERS

    def _place(self, key: EntityKey) -> int:
        place = self._ids[key]
        return int(place[place.index(":") + 1 :])

    def end(self) -> None:
        """Send what is left."""
        self._flush()
        self._settle()

    def _flush(self) -> None:
        self._settle()
        waiting = self._ready
        self._sent = Request(lambda: self._send_edges(waiting.pieces()), waiting)
        self._ready = Waiting()
        self._sent.begin(self._sender)

    def _settle(self) -> None:
        """Wait for the request on its way; an interrupt may have come at any moment of it."""
        if self._sent is None:
            return
        if self._sent.taken is self._ready:
            self._ready = Waiting()
        ids = self._sent.begin(self._sender).result()
        self._ids.update((key, ids[str(place)]) for place, key in enumerate(self._sent.keys))
        self._sent = None

    def _send_edges(self, lines: Pieces) -> dict[str, str]:
        if not len(lines):
            return {}
        return self._link.http.load(
            self._link.database, lines, records=len(lines), together=TOGETHER, committed=COMMITTED
        )

    def _entities(self, rows: list[Entity]) -> None:
        first: dict[EntityKey, Entity] = {}
        again = []
        for row in map(checked_entity, rows):
            if row.key in first or row.key in self._ids:
                again.append(row)
            else:
                first[row.key] = merge_entity(None, row)
        labels = {row.label for row in first.values()}
        if not self._link.is_ready(labels, set()):
            self._settle()  # no load may run while the schema changes
            self._link.ensure(labels, set())
        lines = [self._vertex_line(place, row) for place, row in enumerate(first.values())]
        self._settle()
        self._sent = Request(lambda: self._send_entities(lines), keys=list(first))
        self._ids.update(dict.fromkeys(first, _ON_THE_WAY))
        self._sent.begin(self._sender)
        if again:
            self._settle()
            self._store.upsert_entities(again)

    def _send_entities(self, lines: list[str]) -> dict[str, str]:
        if not lines:
            return {}
        text = "".join(lines).encode()
        return self._link.http.load(
            self._link.database, [text], together=TOGETHER, committed=COMMITTED
        )

    def _vertex_line(self, place: int, row: Entity) -> str:
        properties = entity_properties(row)
        self._link.indexes.check(row.label, properties, key=row.key)
        return (
            f'{{"@type":"vertex","@class":{_encoded(row.label)},"@id":"{place}",'
            f"{_encoded(properties)[1:]}\n"
        )

    def _relations_ready(self, names: set[str]) -> None:
        new = names - self._relations
        if new:
            self._settle()  # no load may run while the schema changes
            self._link.ensure(set(), new)
            self._relations |= new

    def _checked(self, row: Edge) -> Edge:
        if row.attributes or row.claims or row.relation not in self._named:
            checked_edge(row)
            self._named.add(row.relation)
        return row

    def _edge_line(self, row: Edge) -> str:
        is_plain = len(row.provenance) == 1 and not (row.attributes or row.claims)
        made = row if is_plain else merge_edge(None, row)
        try:
            ends = f'"@from":"{self._ids[row.head]}","@to":"{self._ids[row.tail]}"'
        except KeyError as error:
            raise missing_end(row.key, error.args[0]) from None
        if is_plain:  # by hand, since most edges of a great load have one record only
            properties = f'"{RECORDS}":[{quoted(made.provenance[0].to_json())}]}}'
        else:
            properties = _encoded(edge_properties(made))[1:]
        return f'{{"@type":"edge","@class":"{row.relation}",{ends},{properties}\n'
