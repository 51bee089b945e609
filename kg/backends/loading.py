"""Loading many rows: the first load of an embedded graph at once, any other in chunks.

The engine's batch endpoint is several times faster than statements, but neither atomic nor
idempotent. So a first load goes into a database beside the graph, which takes its place when it is
whole and synced to disk. Nothing is sent twice: what a process that died has loaded is thrown away.
What comes twice in the input is merged by ordinary upserts. Memory grows by about 150 bytes an
entity (its key and record id) and 8 bytes an edge, besides two requests of `ROWS` rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from kg.backends import statements
from kg.backends.merging import checked_edge, checked_entity, merge_edge, merge_entity, missing_end
from kg.backends.rows import edge_properties, entity_properties
from kg.backends.seen_edges import SeenEdges
from kg.backends.writer import chunks
from kg.model import Edge, Entity, EntityKey
from kg.progress import Progress

if TYPE_CHECKING:
    from kg.backends.bolt import BoltStore
    from kg.backends.connection import Connection
    from kg.backends.links import FastLink

__all__ = ["ROWS", "load"]

ENTITY_ROWS = 10_000
"""Vertices of a request: as many as the engine commits together."""
ROWS = 100_000
"""Edges of a request: as many as the engine sorts and writes together."""
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
    is_empty = not store.version and not connection.read(statements.ANY, {})
    beside = connection.link.beside() if is_empty else None
    if beside is not None:
        with beside as link, type(store)(link) as newer:
            first = _FirstLoad(newer, link, progress, total)
            first.load(entities, edges)
            newer.execute("RETURN 1")  # counts as a write: the graph is not as it was
        connection.renew()
        return first.done
    done = 0
    for some in chunks(entities, chunk):
        done += store.upsert_entities(some)
        progress(done, total)
    for part in chunks(edges, chunk):
        done += store.upsert_edges(part)
        progress(done, total)
    return done


class _FirstLoad:
    """Loads rows into a database that nobody else uses.

    Args:
        store: The database, empty but for its schema.
        link: The same, as the engine sees it.
        progress: Told rows sent.
        total: How many rows there will be, 0 if nobody knows.
    """

    def __init__(self, store: BoltStore, link: FastLink, progress: Progress, total: int) -> None:
        self._store = store
        self._link = link
        self._progress = progress
        self._total = total
        self._ids: dict[EntityKey, str] = {}
        self._seen = SeenEdges()
        self._relations: set[str] = set()
        self._sent: Future[dict[str, str]] | None = None
        self.done = 0

    def load(self, entities: Iterable[Entity], edges: Iterable[Edge]) -> None:
        """Load everything; edges are taken from their source while the engine writes others."""
        with ThreadPoolExecutor(1) as sender:
            for some in chunks(entities, ENTITY_ROWS):
                self._entities(some)
            for part in chunks(edges, ROWS):
                lines, again = self._edge_lines(part)
                self._settle()
                self._sent = sender.submit(self._send, lines)
                if again:
                    self._settle()
                    self._store.upsert_edges(again)
                self._told(len(part))
            self._settle()

    def _settle(self) -> None:
        """Wait for the request on its way."""
        if self._sent is not None:
            self._sent.result()
            self._sent = None

    def _send(self, lines: list[str]) -> dict[str, str]:
        if not lines:
            return {}
        return self._link.http.load(self._link.database, "\n".join(lines).encode())

    def _told(self, rows: int) -> None:
        self.done += rows
        self._progress(self.done, self._total)

    def _entities(self, rows: list[Entity]) -> None:
        first: dict[EntityKey, Entity] = {}
        again = []
        for row in map(checked_entity, rows):
            if row.key in first or row.key in self._ids:
                again.append(row)
            else:
                simple = len(row.provenance) < 2 and len(row.aliases) < 2
                first[row.key] = row if simple else merge_entity(None, row)
        self._link.ensure({row.label for row in first.values()}, set())
        lines = [
            f'{{"@type":"vertex","@class":{_encoded(row.label)},"@id":"{place}",'
            f"{_encoded(entity_properties(row))[1:]}"
            for place, row in enumerate(first.values())
        ]
        ids = self._send(lines)
        self._ids.update((key, ids[str(place)]) for place, key in enumerate(first))
        if again:
            self._store.upsert_entities(again)
        self._told(len(rows))

    def _edge_lines(self, rows: list[Edge]) -> tuple[list[str], list[Edge]]:
        """Return lines for the edges that are new, and those that may have come before."""
        relations = {checked_edge(row).relation for row in rows} - self._relations
        if relations:
            self._settle()  # no load may run while the schema changes
            self._link.ensure(set(), relations)
            self._relations |= relations
        hashes = np.fromiter((hash(row.key) for row in rows), dtype=np.int64, count=len(rows))
        suspects = self._seen.suspects(hashes).tolist()
        again = [row for row, suspect in zip(rows, suspects, strict=True) if suspect]
        fresh = (row for row, suspect in zip(rows, suspects, strict=True) if not suspect)
        return [self._edge_line(row) for row in fresh], again

    def _edge_line(self, row: Edge) -> str:
        made = row if len(row.provenance) == 1 else merge_edge(None, row)
        try:
            ends = f'"@from":"{self._ids[row.head]}","@to":"{self._ids[row.tail]}"'
        except KeyError as error:
            raise missing_end(row.key, error.args[0]) from None
        properties = _encoded(edge_properties(made))[1:]
        return f'{{"@type":"edge","@class":"{row.relation}",{ends},{properties}'
