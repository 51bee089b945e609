"""What a withdrawal takes from edges and entities as a server returns them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kg.backends.merging import without
from kg.backends.rows import edge_from_row, entity_from_row
from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.store import Withdrawal

__all__ = ["Withdrawn", "needle", "withdrawn"]


@dataclass(slots=True)
class Withdrawn:
    """What a withdrawal changes.

    Attributes:
        records: How many records it takes away.
        edges: Edges that keep others: as they are, and as they will be.
        edges_gone: Edges that keep none.
        entities: Entities that stay, likewise.
        parts_gone: Sub-entities that keep none.
    """

    records: int = 0
    edges: list[tuple[Edge, Edge]] = field(default_factory=list)
    edges_gone: list[EdgeKey] = field(default_factory=list)
    entities: list[tuple[Entity, Entity]] = field(default_factory=list)
    parts_gone: list[EntityKey] = field(default_factory=list)


def withdrawn(
    what: Withdrawal, edges: Iterable[Sequence[Any]], entities: Iterable[Sequence[Any]]
) -> Withdrawn:
    """Return what a withdrawal changes among rows that may match.

    Args:
        what: The withdrawal.
        edges: Head, relation, tail and properties of each.
        entities: Labels and properties of each.
    """
    found = Withdrawn()
    for row in edges:
        edge = edge_from_row(*row)
        rest, taken = without(edge, what)
        found.records += taken
        if taken and rest.provenance:
            found.edges.append((edge, rest))
        elif taken:
            found.edges_gone.append(edge.key)
    for labels, values in entities:
        entity = entity_from_row(labels, values)
        left, taken = without(entity, what)
        found.records += taken
        if taken and (left.provenance or entity.part is None):
            found.entities.append((entity, left))
        elif taken:
            found.parts_gone.append(entity.key)
    return found


def needle(what: Withdrawal) -> str | None:
    """Return a piece of text that the JSON of every matching record holds."""
    for name in ("job", "source", "model", "kind"):
        value = getattr(what, name)
        if value is not None:
            return json.dumps({name: value}, ensure_ascii=False)[1:-1]
    return None
