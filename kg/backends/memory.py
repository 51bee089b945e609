"""A store in memory, for tests and tiny graphs: a networkx multigraph and nothing faked.

It does not speak Cypher, is not durable and belongs to one process. A transaction works on a copy
of the graph that replaces the original when it ends well, so it costs time in the graph's size.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, NoReturn, Self

import networkx as nx

from kg.backends.merging import fold_edges, fold_entities, merge_edge, merge_entity, without
from kg.backends.names import check_kinds
from kg.errors import (
    ConflictError,
    ConstraintError,
    InputError,
    MissingPartError,
    StoreUnavailableError,
)
from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.store import Capabilities, Direction, Table, Withdrawal, Writer

__all__ = ["MemoryStore"]


class _MemoryWriter:
    """Writes to one graph; each call plans all its changes before it makes the first."""

    def __init__(self, graph: nx.MultiDiGraph) -> None:
        self.graph = graph
        self.changed = False

    def upsert_entities(self, rows: Iterable[Entity]) -> int:
        folded = fold_entities(rows)
        plan: list[Entity] = []
        for key, versions in folded.items():
            old = merged = self._entity(key)
            for row in versions:
                merged = merge_entity(merged, row)
            if merged is not None and merged != old:
                plan.append(merged)
        kinds = self.graph.graph["kinds"]
        check_kinds({row.label for row in plan}, kinds["relation"])
        for row in plan:
            kinds["label"].add(row.label)
            self.graph.add_node(row.key, entity=row)
        self.changed |= bool(plan)
        return sum(map(len, folded.values()))

    def upsert_edges(self, rows: Iterable[Edge]) -> int:
        folded = fold_edges(rows)
        plan: list[Edge] = []
        for key, versions in folded.items():
            for end in (key[0], key[2]):
                if end not in self.graph:
                    raise missing_end(key, end)
            old = merged = self._edge(key)
            for row in versions:
                merged = merge_edge(merged, row)
            if merged is not None and merged != old:
                plan.append(merged)
        kinds = self.graph.graph["kinds"]
        check_kinds(kinds["label"], {row.relation for row in plan})
        for row in plan:
            kinds["relation"].add(row.relation)
            self.graph.add_edge(row.head, row.tail, key=row.relation, edge=row)
        self.changed |= bool(plan)
        return sum(map(len, folded.values()))

    def delete_entities(self, keys: Iterable[EntityKey]) -> int:
        present = {key for key in keys if key in self.graph}
        self.graph.remove_nodes_from(present)
        self.changed |= bool(present)
        return len(present)

    def delete_edges(self, keys: Iterable[EdgeKey]) -> int:
        present = {key for key in keys if self._edge(key) is not None}
        self.graph.remove_edges_from([(head, tail, relation) for head, relation, tail in present])
        self.changed |= bool(present)
        return len(present)

    def withdraw(self, what: Withdrawal) -> int:
        total = 0
        for edge in [data["edge"] for *_, data in self.graph.edges(data=True)]:
            kept, taken = without(edge.provenance, what)
            total += taken
            if taken and kept:
                shorter = replace(edge, provenance=kept)
                self.graph.add_edge(edge.head, edge.tail, key=edge.relation, edge=shorter)
            elif taken:
                self.graph.remove_edge(edge.head, edge.tail, key=edge.relation)
        for entity in [data["entity"] for _, data in self.graph.nodes(data=True)]:
            kept, taken = without(entity.provenance, what)
            total += taken
            if taken and (kept or entity.part is None):
                self.graph.add_node(entity.key, entity=replace(entity, provenance=kept))
            elif taken:
                self.graph.remove_node(entity.key)
        self.changed |= total > 0
        return total

    def _entity(self, key: EntityKey) -> Entity | None:
        return self.graph.nodes[key]["entity"] if key in self.graph else None

    def _edge(self, key: EdgeKey) -> Edge | None:
        head, relation, tail = key
        data = self.graph.get_edge_data(head, tail, key=relation)
        return None if data is None else data["edge"]


def missing_end(edge: EdgeKey, end: str) -> ConstraintError:
    """Return the error for an edge one of whose ends is not in the store."""
    return ConstraintError(
        f"an edge needs both its ends, and there is no entity {end!r}",
        where=" ".join(edge),
        hint="add the entity first",
    )


def check_limit(limit: int) -> int:
    """Return a limit on rows, or raise `InputError` for a negative one."""
    if limit < 0:
        raise InputError(f"a limit of {limit} rows is not possible")
    return limit


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

    def close(self) -> None:
        """Refuse every later call."""
        self._closed = True

    def __enter__(self) -> Self:
        """Return the store itself."""
        self._check_open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
            writer = _MemoryWriter(copy)
            self._writing = True
            try:
                yield writer
            finally:
                self._writing = False
            self._graph = copy
            self._version += writer.changed

    def _refuse_nesting(self) -> None:
        if self._writing:  # by this thread: the lock keeps the others out
            raise ConflictError(
                "this thread has a transaction open", hint="write through the transaction's writer"
            )

    @contextmanager
    def _direct(self) -> Iterator[_MemoryWriter]:
        self._check_open()
        with self._lock:
            self._refuse_nesting()
            writer = _MemoryWriter(self._graph)
            yield writer
            self._version += writer.changed

    def upsert_entities(self, rows: Iterable[Entity]) -> int:
        """Add or merge entities; see `kg.store.Writer`."""
        with self._direct() as writer:
            return writer.upsert_entities(rows)

    def upsert_edges(self, rows: Iterable[Edge]) -> int:
        """Add or merge edges; see `kg.store.Writer`."""
        with self._direct() as writer:
            return writer.upsert_edges(rows)

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

    def entity(self, key: EntityKey) -> Entity | None:
        """Return the entity of this key, or None."""
        self._check_open()
        with self._lock:
            return self._graph.nodes[key]["entity"] if key in self._graph else None

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
    ) -> list[Edge]:
        """Return up to `limit` edges at an entity, in order."""
        check_limit(limit)
        found: dict[EdgeKey, Edge] = {}
        if direction in ("out", "both"):
            found.update((edge.key, edge) for edge in self.edges(head=key, relation=relation))
        if direction in ("in", "both"):
            found.update((edge.key, edge) for edge in self.edges(tail=key, relation=relation))
        return [found[edge] for edge in sorted(found)[:limit]]

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
