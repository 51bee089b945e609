"""Plain sentences about an entity for what a query asks and no edge says."""

from __future__ import annotations

from kg.snapshot import Snapshot
from reasoning.comparisons import attribute_of, compares
from reasoning.query import Anchor, Compare, Labelled, Query
from reasoning.safety import describe

__all__ = ["denial", "fact"]


def fact(node: Labelled | Compare, entity: int, snapshot: Snapshot) -> tuple[str, bool]:
    """Return what an entity is with regard to a label or comparison, and whether that fits.

    Args:
        node: What is asked.
        entity: Id of the entity.
        snapshot: The graph.
    """
    name = snapshot.names[entity]
    if isinstance(node, Labelled):
        label = snapshot.label_of(entity)
        fits = label == node.label
        return (f"{name} is a {label}" + ("" if fits else f", not a {node.label}")), fits
    value = attribute_of(snapshot, entity, node.attribute)
    wanted = f"{node.comparison} {node.value!r}"
    if value is None:
        return f"{name} has no {node.attribute}, wanted is {wanted}", False
    fits = compares(value, node.comparison, node.value)
    words = f"{node.attribute} of {name} is {value!r}"
    if not fits:
        return f"{words}, not {wanted}", False
    return (words if node.comparison == "=" else f"{words}, {wanted}"), True


def denial(child: Query, name: str) -> str:
    """Return the sentence that an entity of a name does not fulfil a query.

    Example:
        >>> denial(Labelled("Part"), "Chad")
        'Chad is not a Part'
    """
    match child:
        case Anchor(entity=other):
            return f"{name} is not {other}"
        case Labelled(label=label):
            return f"{name} is not a {label}"
        case Compare(attribute=attribute, comparison=comparison, value=value):
            return f"not {attribute} of {name} {comparison} {value!r}"
        case _:
            return f"{name} is none of: {describe(child)}"
