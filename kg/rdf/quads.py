"""Entities and edges as quads.

Facts stand in the default graph. What is said about them (which records a fact has, attributes of
an edge) hangs on a statement node with ``rdf:subject``, ``rdf:predicate`` and ``rdf:object`` in the
named graph of provenance: classic reification, which every format and every tool of RDF 1.1 knows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, fields

from pyoxigraph import DefaultGraph, NamedNode, Quad

from kg.backends.names import BASE_LABEL
from kg.claimed import claims_fields
from kg.model import Edge, EdgeKey, Entity
from kg.provenance import Provenance
from kg.rdf.literals import json_literal, literal_of
from kg.rdf.names import (
    PROVENANCE_GRAPH,
    RDF,
    RDF_TYPE,
    RDFS_LABEL,
    SKOS_ALIAS,
    UMBRA,
    iri_of,
)

__all__ = ["RECORD_FIELDS", "edge_quads", "entity_quads", "statement_iri"]

STATEMENT, RECORD = "urn:umbra:statement:", "urn:umbra:record:"
RECORD_FIELDS = tuple(field.name for field in fields(Provenance))
"""Fields of a record; each is a term of Umbra's vocabulary."""

_DEFAULT, _ABOUT = DefaultGraph(), NamedNode(PROVENANCE_GRAPH)
_TYPE, _SHOWN, _ALIAS = map(NamedNode, (RDF_TYPE, RDFS_LABEL, SKOS_ALIAS))
_SUBJECT, _PREDICATE, _OBJECT = (NamedNode(RDF + n) for n in ("subject", "predicate", "object"))
_KEY, _NAME = (NamedNode(iri_of("attribute", name)) for name in ("key", "name"))
_IMAGE, _PART, _PART_OF, _RECORD, _CLAIMS = (
    NamedNode(UMBRA + name) for name in ("image", "part", "partOf", "record", "claims")
)


def statement_iri(key: EdgeKey) -> str:
    """Return the IRI of the node that stands for an edge."""
    text = json.dumps(key, ensure_ascii=False)
    return STATEMENT + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def entity_quads(entity: Entity) -> Iterator[Quad]:
    """Yield what RDF says of an entity.

    Example:
        >>> from kg.model import EntityKey
        >>> quads = entity_quads(Entity(key=EntityKey("a"), label="Town", name="A"))
        >>> [quad.object.value for quad in quads][:2]
        ['urn:umbra:label:Town', 'urn:umbra:label:Entity']
    """
    node = NamedNode(iri_of("entity", entity.key))
    for label in dict.fromkeys((entity.label, BASE_LABEL)):
        yield Quad(node, _TYPE, NamedNode(iri_of("label", label)), _DEFAULT)
    yield Quad(node, _KEY, literal_of(entity.key), _DEFAULT)
    for predicate in (_NAME, _SHOWN):
        yield Quad(node, predicate, literal_of(entity.name), _DEFAULT)
    for alias in entity.aliases:
        yield Quad(node, _ALIAS, literal_of(alias), _DEFAULT)
    for name, value in entity.attributes.items():
        yield Quad(node, NamedNode(iri_of("attribute", name)), literal_of(value), _DEFAULT)
    for image in entity.images:
        yield Quad(node, _IMAGE, json_literal(asdict(image)), _DEFAULT)
    if entity.part is not None:
        yield Quad(node, _PART, json_literal(asdict(entity.part)), _DEFAULT)
        parent = NamedNode(iri_of("entity", entity.part.parent))
        yield Quad(node, _PART_OF, parent, _DEFAULT)
    yield from _said(node, entity)


def edge_quads(edge: Edge) -> Iterator[Quad]:
    """Yield the triple of an edge, and what is said about it."""
    head, tail = (NamedNode(iri_of("entity", key)) for key in (edge.head, edge.tail))
    relation = NamedNode(iri_of("relation", edge.relation))
    yield Quad(head, relation, tail, _DEFAULT)
    node = NamedNode(statement_iri(edge.key))
    for place, term in ((_SUBJECT, head), (_PREDICATE, relation), (_OBJECT, tail)):
        yield Quad(node, place, term, _ABOUT)
    for name, value in edge.attributes.items():
        yield Quad(node, NamedNode(iri_of("attribute", name)), literal_of(value), _ABOUT)
    yield from _said(node, edge)


def _said(node: NamedNode, row: Entity | Edge) -> Iterator[Quad]:
    if row.claims:
        yield Quad(node, _CLAIMS, json_literal(claims_fields(row)), _ABOUT)
    owner = hashlib.sha256(node.value.encode()).hexdigest()[:16]
    for record in row.provenance:
        about = NamedNode(f"{RECORD}{owner}-{record.identity}")
        yield Quad(node, _RECORD, about, _ABOUT)
        for name, value in json.loads(record.to_json()).items():
            plain = tuple(value) if isinstance(value, list) else value
            yield Quad(about, NamedNode(UMBRA + name), literal_of(plain), _ABOUT)
