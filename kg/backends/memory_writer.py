"""Writes to the store in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import networkx as nx

from kg.backends.merging import (
    exact_edges,
    exact_entities,
    fold_edges,
    fold_entities,
    merge_edges,
    merge_entities,
    missing_end,
)
from kg.backends.names import check_kinds
from kg.backends.withdrawing import withdrawn
from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.taken import Taken
from kg.withdrawal import Withdrawal

__all__ = ["MemoryWriter"]


class MemoryWriter:
    """Writes to one graph; each call plans all its changes before it makes the first.

    Args:
        graph: Nodes hold an ``entity``, edges (keyed by relation) an ``edge``; the graph itself
            knows which names are labels and which relations.

    Attributes:
        changed: Something was written.
        entities: Keys of what was touched.
        edges: Likewise, those that went with an entity among them.
    """

    def __init__(self, graph: nx.MultiDiGraph) -> None:
        self.graph = graph
        self.changed = False
        self.entities: set[EntityKey] = set()
        self.edges: set[EdgeKey] = set()

    def upsert_entities(self, rows: Iterable[Entity]) -> int:
        """Add or merge entities; see `kg.store.Writer`."""
        folded = fold_entities(rows)
        plan: list[Entity] = []
        for key, versions in folded.items():
            old = self._entity(key)
            merged = merge_entities(old, versions)
            if merged != old:
                plan.append(merged)
        kinds = self.graph.graph["kinds"]
        check_kinds({row.label for row in plan}, kinds["relation"])
        for row in plan:
            kinds["label"].add(row.label)
            self._keep_entity(row)
        self.changed |= bool(plan)
        return sum(map(len, folded.values()))

    def upsert_edges(self, rows: Iterable[Edge]) -> int:
        """Add or merge edges; see `kg.store.Writer`."""
        folded = fold_edges(rows)
        plan: list[Edge] = []
        for key in folded:
            for end in (key[0], key[2]):
                if end not in self.graph:
                    raise missing_end(key, end)
        for key, versions in folded.items():
            old = self._edge(key)
            merged = merge_edges(old, versions)
            if merged != old:
                plan.append(merged)
        kinds = self.graph.graph["kinds"]
        check_kinds(kinds["label"], {row.relation for row in plan})
        for row in plan:
            kinds["relation"].add(row.relation)
            self._keep_edge(row)
        self.changed |= bool(plan)
        return sum(map(len, folded.values()))

    def replace_entities(self, rows: Iterable[Entity]) -> int:
        """Make entities exactly these rows; see `kg.store.Writer`."""
        kept = list(rows)
        pairs = exact_entities(
            kept, lambda keys: {row.key: row for row in map(self._entity, keys) if row is not None}
        )
        for _, row in pairs:
            self._keep_entity(row)
        self.changed |= bool(pairs)
        return len(kept)

    def replace_edges(self, rows: Iterable[Edge]) -> int:
        """Make edges exactly these rows; see `kg.store.Writer`."""
        kept = list(rows)
        pairs = exact_edges(
            kept, lambda keys: {row.key: row for row in map(self._edge, keys) if row is not None}
        )
        for _, row in pairs:
            self._keep_edge(row)
        self.changed |= bool(pairs)
        return len(kept)

    def delete_entities(self, keys: Iterable[EntityKey]) -> int:
        """Delete entities with their edges and return how many there were."""
        present = {key for key in keys if key in self.graph}
        for found in (self.graph.out_edges, self.graph.in_edges):
            self.edges |= {(head, name, tail) for head, tail, name in found(present, keys=True)}
        self.entities |= present
        self.graph.remove_nodes_from(present)
        self.changed |= bool(present)
        return len(present)

    def delete_edges(self, keys: Iterable[EdgeKey]) -> int:
        """Delete edges and return how many there were."""
        present = {key for key in keys if self._edge(key) is not None}
        self.edges |= present
        self.graph.remove_edges_from([(head, tail, relation) for head, relation, tail in present])
        self.changed |= bool(present)
        return len(present)

    def withdraw(self, what: Withdrawal) -> int:
        """Take away matching records; see `kg.store.Writer`."""
        found = self.withdrawn(what)
        for _, edge in found.edges_kept:
            self._keep_edge(edge)
        for _, entity in found.entities_kept:
            self._keep_entity(entity)
        self.delete_edges(edge.key for edge in found.edges_gone)
        self.delete_entities(row.key for row in found.entities_gone)
        self.changed |= not found.is_empty
        return found.records

    def withdrawn(self, what: Withdrawal) -> Taken:
        """Say what `withdraw` would take away; see `kg.store.Writer`."""
        return withdrawn(what, lambda _: self._all(), self._edges_at)

    def _all(self) -> Iterator[Entity | Edge]:
        yield from (data["edge"] for *_, data in self.graph.edges(data=True))
        yield from (data["entity"] for _, data in self.graph.nodes(data=True))

    def _edges_at(self, keys: Collection[EntityKey]) -> Iterator[Edge]:
        for found in (self.graph.out_edges, self.graph.in_edges):
            yield from (data["edge"] for *_, data in found(keys, data=True))

    def _keep_entity(self, row: Entity) -> None:
        self.entities.add(row.key)
        self.graph.add_node(row.key, entity=row)

    def _keep_edge(self, row: Edge) -> None:
        self.edges.add(row.key)
        self.graph.add_edge(row.head, row.tail, key=row.relation, edge=row)

    def _entity(self, key: EntityKey) -> Entity | None:
        return self.graph.nodes[key]["entity"] if key in self.graph else None

    def _edge(self, key: EdgeKey) -> Edge | None:
        head, relation, tail = key
        data = self.graph.get_edge_data(head, tail, key=relation)
        return None if data is None else data["edge"]
