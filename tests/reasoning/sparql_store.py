"""A graph in pyoxigraph as `kg.rdf.names` says, to run written texts on."""

from __future__ import annotations

from collections.abc import Iterable

from pyoxigraph import Literal, NamedNode, Quad, Store

from kg.model import Edge, Entity
from kg.rdf.names import RDF_TYPE, iri_of
from tests.reasoning.oracles import known_triples

__all__ = ["sparql_store", "store_rows"]


def sparql_store(entities: Iterable[Entity], edges: Iterable[Edge]) -> Store:
    """Return a store of entities and known edges."""
    store = Store()
    for entity in entities:
        subject = NamedNode(iri_of("entity", entity.key))
        for label in (entity.label, "Entity"):
            store.add(Quad(subject, NamedNode(RDF_TYPE), NamedNode(iri_of("label", label))))
        for name, value in {**entity.attributes, "name": entity.name, "key": entity.key}.items():
            if not isinstance(value, tuple):
                store.add(Quad(subject, NamedNode(iri_of("attribute", name)), Literal(value)))
    for head, relation, tail in known_triples(edges):
        ends = (NamedNode(iri_of("entity", key)) for key in (head, tail))
        subject, target = ends
        store.add(Quad(subject, NamedNode(iri_of("relation", relation)), target))
    return store


def store_rows(store: Store, text: str) -> list[tuple[str, ...]]:
    """Return the distinct rows of a SELECT, as values of IRIs and literals, ascending."""
    return sorted({tuple(term.value for term in row) for row in store.query(text)})
