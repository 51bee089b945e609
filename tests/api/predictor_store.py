"""The world of the predictors' tests behind an engine."""

from __future__ import annotations

from kg.backends.memory import MemoryStore
from kg.model import Entity
from kg.snapshot import Snapshot
from tests.reasoning.predictor_world import edges_of

__all__ = ["store_of"]


def store_of(graph: Snapshot) -> MemoryStore:
    """Return a store with the entities and edges of a snapshot."""
    store = MemoryStore()
    store.upsert_entities(
        Entity(
            key=key,
            label=graph.label_of(place),
            name=graph.names[place],
            attributes={n: column[place] for n, column in graph.attributes.items()}
            if graph.label_of(place) == "Country"
            else {},
        )
        for place, key in enumerate(graph.entities)
    )
    name = graph.entities.name
    store.upsert_edges(
        edges_of(
            [
                (name(int(h)), graph.relation_names.name(int(r)), name(int(t)))
                for h, r, t in zip(graph.heads, graph.relations, graph.tails, strict=True)
            ]
        )
    )
    return store
