"""Figures of a graph: what there is of each kind, how it hangs together, where it comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kg.attribute_types import AttributeTypes, SeenAttribute
from kg.model import Edge, Entity
from kg.provenance import Provenance
from kg.store import Store

__all__ = ["GraphStats", "RelationStats", "graph_stats"]

SHOWN = 20
"""Sources with most records of which each is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationStats:
    """Figures of a relation.

    Attributes:
        edges: How many there are.
        heads: How many entities they leave.
        tails: How many they reach.
        most_out: Most of them from one entity.
        most_in: Most of them to one entity.
    """

    edges: int
    heads: int
    tails: int
    most_out: int
    most_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphStats:
    """Figures of a graph.

    Attributes:
        version: Of the store when it was read.
        entities: By label.
        alone: Entities without an edge.
        parts: Entities that are parts of pictures.
        images: Pictures of entities; one of two entities counts twice.
        relations: By name.
        attributes: With the types of their values.
        records: By kind, of entities and edges.
        sources: Records of the sources with most.
        derived: Records that rest on others.
    """

    version: int
    entities: Mapping[str, int]
    alone: int
    parts: int
    images: int
    relations: Mapping[str, RelationStats]
    attributes: tuple[SeenAttribute, ...]
    records: Mapping[str, int]
    sources: Mapping[str, int]
    derived: int


def graph_stats(store: Store) -> GraphStats:
    """Count a graph; all of it is read, keys of its entities are held in memory.

    Example:
        >>> from kg.backends.memory import MemoryStore
        >>> graph_stats(MemoryStore()).entities
        {}
    """
    version, counting = store.version, _Counting()
    for entity in store.entities():
        counting.entity(entity)
    for edge in store.edges():
        counting.edge(edge)
    return GraphStats(
        version=version,
        entities=dict(sorted(counting.labels.items())),
        alone=len(counting.alone),
        parts=counting.parts,
        images=counting.images,
        relations={name: _figures(*ends) for name, ends in sorted(counting.ends.items())},
        attributes=counting.types.all(),
        records=dict(sorted(counting.kinds.items())),
        sources=dict(counting.sources.most_common(SHOWN)),
        derived=counting.derived,
    )


@dataclass(slots=True)
class _Counting:
    labels: Counter[str] = field(default_factory=Counter)
    alone: set[str] = field(default_factory=set)
    parts: int = 0
    images: int = 0
    ends: dict[str, tuple[Counter[str], Counter[str]]] = field(default_factory=dict)
    types: AttributeTypes = field(default_factory=AttributeTypes)
    kinds: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    derived: int = 0

    def entity(self, entity: Entity) -> None:
        self.labels[entity.label] += 1
        self.alone.add(entity.key)
        self.parts += entity.part is not None
        self.images += len(entity.images)
        self.types.see(entity.label, entity.attributes)
        self._records(entity.provenance)

    def edge(self, edge: Edge) -> None:
        self.alone -= {edge.head, edge.tail}
        heads, tails = self.ends.setdefault(edge.relation, (Counter(), Counter()))
        heads[edge.head] += 1
        tails[edge.tail] += 1
        self.types.see(edge.relation, edge.attributes)
        self._records(edge.provenance)

    def _records(self, records: Iterable[Provenance]) -> None:
        for record in records:
            self.kinds[record.kind] += 1
            self.sources[record.source] += 1
            self.derived += bool(record.derived_from)


def _figures(heads: Counter[str], tails: Counter[str]) -> RelationStats:
    return RelationStats(
        edges=heads.total(),
        heads=len(heads),
        tails=len(tails),
        most_out=max(heads.values()),
        most_in=max(tails.values()),
    )
