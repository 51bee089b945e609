"""What a write changes in the RDF of a graph: what to forget of some facts, and what to say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pyoxigraph import Quad

from kg.rdf.names import NAMESPACES, PROVENANCE_GRAPH, UMBRA, iri_of
from kg.rdf.quads import edge_quads, entity_quads, statement_iri
from kg.store import Store

__all__ = ["QuadChanges", "StoreQuads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuadChanges:
    """Steps of a copy from one version to a later one.

    Attributes:
        version: The later one.
        forget: Whatever is said of these facts, as `kg.sparql.process` takes it.
        quads: What is said of them now.
    """

    version: int
    forget: dict[str, Any]
    quads: tuple[Quad, ...]


@dataclass(frozen=True, slots=True)
class StoreQuads:
    """A store's graph as quads."""

    store: Store

    @property
    def version(self) -> int:
        """The store's change counter."""
        return self.store.version

    def quads(self) -> Iterator[Quad]:
        """Iterate what RDF says of all entities and edges."""
        yield from chain.from_iterable(map(entity_quads, self.store.entities()))
        yield from chain.from_iterable(map(edge_quads, self.store.edges()))

    def changed(self, since: int) -> QuadChanges | None:
        """Return the steps since a version, or None where the store's feed does not tell."""
        changes = self.store.changes(since)
        if changes is None:
            return None
        entities = self.store.entities_of(changes.entities)
        edges = self.store.edges_of(changes.edges)
        quads = [quad for entity in entities for quad in entity_quads(entity)]
        quads += [quad for edge in edges for quad in edge_quads(edge)]
        triples = [
            (iri_of("entity", head), iri_of("relation", relation), iri_of("entity", tail))
            for head, relation, tail in changes.edges
        ]
        forget = {
            "entities": [iri_of("entity", key) for key in changes.entities],
            "triples": triples,
            "statements": [statement_iri(key) for key in changes.edges],
            "relations": NAMESPACES["relation"],
            "record": UMBRA + "record",
            "about": PROVENANCE_GRAPH,
        }
        return QuadChanges(version=changes.version, forget=forget, quads=tuple(quads))
