"""Second evaluators, written for clearness: first-order truth by trying every entity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kg.model import Edge, Entity, EntityKey
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

__all__ = ["brute_force", "known_triples"]


def known_triples(edges: Iterable[Edge]) -> set[tuple[str, str, str]]:
    """Return the edges whose strongest record has a probability of 0.9 or more."""
    return {
        (edge.head, edge.relation, edge.tail)
        for edge in edges
        if any(record.probability >= 0.9 for record in edge.provenance)
    }


def brute_force(tree: Query, entities: Sequence[Entity], edges: Iterable[Edge]) -> list[EntityKey]:
    """Return the keys of all entities of which the tree is true, ascending."""
    triples = known_triples(edges)
    return sorted(entity.key for entity in entities if holds(tree, entity, entities, triples))


def holds(
    node: Query, entity: Entity, entities: Sequence[Entity], triples: set[tuple[str, str, str]]
) -> bool:
    """Tell whether a node is true of an entity, trying every entity for an inner variable."""
    match node:
        case Anchor():
            return entity.key == node.entity
        case Labelled():
            return entity.label == node.label
        case Compare():
            return compare_holds(node, entity)
        case Projection():
            return any(
                holds(node.child, other, entities, triples)
                for other in entities
                if edge_between(node, entity, other) in triples
            )
        case Intersection():
            return all(holds(child, entity, entities, triples) for child in node.children)
        case Union():
            return any(holds(child, entity, entities, triples) for child in node.children)
        case Negation():
            return not holds(node.child, entity, entities, triples)


def edge_between(node: Projection, entity: Entity, other: Entity) -> tuple[str, str, str]:
    """Return the edge that a projection needs between its answer and one of its child's."""
    if node.inverse:
        return (entity.key, node.relation, other.key)
    return (other.key, node.relation, entity.key)


def compare_holds(node: Compare, entity: Entity) -> bool:
    """Tell whether a comparison is true, as openCypher says."""
    everything = {**entity.attributes, "name": entity.name, "key": entity.key}
    value, other = everything.get(node.attribute), node.value
    if value is None:
        return False
    if node.comparison == "in":
        return any(same(value, option) for option in other)
    if node.comparison == "=":
        return same(value, other)
    if node.comparison == "<>":
        return not same(value, other)
    if isinstance(value, str) and isinstance(other, str):
        return {
            "<": value < other,
            "<=": value <= other,
            ">": value > other,
            ">=": value >= other,
            "contains": other in value,
            "starts with": value.startswith(other),
            "ends with": value.endswith(other),
        }[node.comparison]
    if is_number(value) == is_number(other) and isinstance(value, str) == isinstance(other, str):
        return {
            "<": value < other,
            "<=": value <= other,
            ">": value > other,
            ">=": value >= other,
        }.get(node.comparison, False)
    return False


def same(value: object, other: object) -> bool:
    """Tell whether two scalars are one value: 1 is 1.0, but true is not 1."""
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def is_number(value: object) -> bool:
    """Tell a number from a truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)
