"""What has been read of a store at one of its versions: each entity and edge is read once.

An answer shows some dozens of entities and edges. Read over the wire one by one they take longer
than the reasoning; the next question usually shows the same ones.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, Protocol

from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.store import Direction, Store

__all__ = ["MOST", "Reads", "Records", "RecordsOfNow"]

MOST = 50_000
"""Entities, and lists of edges, that are held; beyond that all are let go."""
LONGEST = 1000
"""Edges of a page that is held."""
Around = tuple[EntityKey, str | None, Direction, int, EdgeKey | None]
"""Which page of edges, by the arguments of `Store.neighbours`."""


class Reads(Protocol):
    """What views read: of a store, or of what is held of one."""

    def read(self, keys: Iterable[EntityKey]) -> None:
        """Read entities that will be asked for, all at once."""
        ...

    def read_edges(self, keys: Iterable[EdgeKey]) -> None:
        """Read edges that will be asked for, together."""
        ...

    def entity(self, key: EntityKey) -> Entity | None:
        """Return the entity of this key, or None."""
        ...

    def edges(self, *, head: EntityKey, relation: str, tail: EntityKey) -> Iterable[Edge]:
        """Return the edges that match."""
        ...


class Records:
    """Reads a store, and remembers.

    Args:
        store: Where records are read.
        version: Of the store, as it was before the first read.
    """

    def __init__(self, store: Store, version: int) -> None:
        self.version = version
        self._store = store
        self._entities: dict[EntityKey, Entity | None] = {}
        self._edges: dict[EdgeKey, tuple[Edge, ...]] = {}
        self._around: dict[Around, tuple[Edge, ...]] = {}

    def entity(self, key: EntityKey) -> Entity | None:
        """Return the entity of this key, or None."""
        if key not in self._entities:
            _make_room(self._entities)
            self._entities[key] = self._store.entity(key)
        return self._entities.get(key)

    def read(self, keys: Iterable[EntityKey]) -> None:
        """Read entities that will be asked for, all at once."""
        new = [key for key in dict.fromkeys(keys) if key not in self._entities]
        for start in range(0, len(new), LONGEST):
            some = new[start : start + LONGEST]
            found = {entity.key: entity for entity in self._store.entities_of(some)}
            _make_room(self._entities, MOST - len(some))
            self._entities |= {key: found.get(key) for key in some}

    def read_edges(self, keys: Iterable[EdgeKey]) -> None:
        """Read edges that will be asked for, together."""
        new = [key for key in dict.fromkeys(keys) if key not in self._edges]
        for start in range(0, len(new), LONGEST):
            some = new[start : start + LONGEST]
            found = {edge.key: edge for edge in self._store.edges_of(some)}
            _make_room(self._edges, MOST - len(some))
            self._edges |= {key: (found[key],) if key in found else () for key in some}

    def edges(self, *, head: EntityKey, relation: str, tail: EntityKey) -> tuple[Edge, ...]:
        """Return the edges that match."""
        place = (head, relation, tail)
        found = self._edges.get(place)
        if found is None:
            _make_room(self._edges)
            found = tuple(self._store.edges(head=head, relation=relation, tail=tail))
            self._edges[place] = found
        return found

    def neighbours(
        self,
        key: EntityKey,
        *,
        relation: str | None,
        direction: Direction,
        limit: int,
        after: EdgeKey | None = None,
    ) -> tuple[Edge, ...]:
        """Return up to `limit` edges at an entity; as `Store.neighbours`."""
        place = (key, relation, direction, limit, after)
        found = self._around.get(place)
        if found is None:
            found = tuple(
                self._store.neighbours(
                    key, relation=relation, direction=direction, limit=limit, after=after
                )
            )
            if len(found) <= LONGEST:
                _make_room(self._around, MOST // 100)
                self._around[place] = found
        return found


class RecordsOfNow:
    """Lends the records of a store's present version; those of an earlier one are let go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Records | None = None

    def of(self, store: Store) -> Records:
        """Ask the store for its version and return what is held of that."""
        version = store.version
        with self._lock:
            if self._held is None or self._held.version != version:
                self._held = Records(store, version)
            return self._held


def _make_room(held: dict[Any, Any], most: int = MOST) -> None:
    if len(held) >= most:
        held.clear()
