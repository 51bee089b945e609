"""A graph as RDF and a query tree as SPARQL: one group pattern a node, negation by MINUS.

An attribute has a predicate for each kind of value (number, text, truth), and one for any kind, so
that kinds stay apart without filters, which rdflib is slow to parse. Numbers are doubles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count

from rdflib import Graph, Literal, URIRef
from rdflib.namespace import RDF, XSD

from kg.model import Edge, Entity
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Union,
)

__all__ = ["as_rdf", "as_sparql", "sparql_answers"]

THING, LABEL = URIRef("urn:thing"), URIRef("urn:label")


def as_rdf(entities: Iterable[Entity], edges: Iterable[Edge]) -> Graph:
    """Return a graph: attributes, names and keys are literals, edges are triples."""
    graph = Graph()
    for entity in entities:
        subject = URIRef(f"urn:{entity.key}")
        graph.add((subject, RDF.type, THING))
        graph.add((subject, LABEL, literal(entity.label)))
        for name, value in {**entity.attributes, "name": entity.name, "key": entity.key}.items():
            graph.add((subject, attribute(name, value), literal(value)))
            graph.add((subject, URIRef(f"urn:any:{name}"), literal(value)))
    for edge in edges:
        graph.add((URIRef(f"urn:{edge.head}"), relation(edge.relation), URIRef(f"urn:{edge.tail}")))
    return graph


def sparql_answers(graph: Graph, tree: Query) -> list[str]:
    """Return the keys of the answers, ascending."""
    return sorted({str(row[0]).removeprefix("urn:") for row in graph.query(as_sparql(tree))})


def as_sparql(tree: Query) -> str:
    """Return a SELECT of the distinct answers."""
    return f"SELECT DISTINCT ?x {{ {group(tree, '?x', count())} }}"


def group(node: Query, x: str, fresh: Iterator[int]) -> str:
    """Return a pattern that binds `x` to exactly the answers of a node."""
    match node:
        case Anchor():
            return same(x, "key", node.entity)
        case Labelled():
            return f"{x} {LABEL.n3()} {literal(node.label).n3()} ."
        case Compare():
            return compared(node, x, f"?v{next(fresh)}")
        case Projection():
            y = f"?y{next(fresh)}"
            head, tail = (x, y) if node.inverse else (y, x)
            step = f"{head} {relation(node.relation).n3()} {tail} ."
            return f"{step} {{ {group(node.child, y, fresh)} }}"
        case Intersection():
            return " ".join(f"{{ {group(child, x, fresh)} }}" for child in node.children)
        case Union():
            return " UNION ".join(f"{{ {group(child, x, fresh)} }}" for child in node.children)
        case Negation():
            return f"{x} a {THING.n3()} MINUS {{ {group(node.child, x, fresh)} }}"


def compared(node: Compare, x: str, v: str) -> str:
    """Return a pattern for a comparison."""
    if node.comparison == "in":
        return " UNION ".join(f"{{ {same(x, node.attribute, part)} }}" for part in node.value)
    if node.comparison == "=":
        return same(x, node.attribute, node.value)
    if node.comparison == "<>":
        has_one = f"{x} {URIRef(f'urn:any:{node.attribute}').n3()} {v}"
        return f"{has_one} MINUS {{ {same(x, node.attribute, node.value)} }}"
    value = literal(node.value).n3()
    words = {"contains": "CONTAINS", "starts with": "STRSTARTS", "ends with": "STRENDS"}
    function = words.get(node.comparison)
    test = f"{v} {node.comparison} {value}" if function is None else f"{function}({v}, {value})"
    return f"{x} {attribute(node.attribute, node.value).n3()} {v} FILTER({test})"


def same(x: str, name: str, value: object) -> str:
    """Return a pattern that is true where an attribute is a value."""
    return f"{x} {attribute(name, value).n3()} {literal(value).n3()} ."


def literal(value: object) -> Literal:
    """Return a value as RDF."""
    if isinstance(value, bool):
        return Literal(value)
    if isinstance(value, int | float):
        return Literal(float(value), datatype=XSD.double)
    return Literal(value, datatype=XSD.string)


def attribute(name: str, value: object) -> URIRef:
    """Return the predicate of an attribute for values of this kind."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    kind = "number" if number else type(value).__name__
    return URIRef(f"urn:{kind}:{name}")


def relation(name: str) -> URIRef:
    """Return the predicate of a relation."""
    return URIRef(f"urn:relation:{name}")
