"""Look-ups by key: a statement for all entities, and for all edges of a relation."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from kg.backends import statements
from kg.backends.edge_maps import by_key, by_relation, ends
from kg.backends.names import is_name
from kg.backends.rows import entity_from_row

if TYPE_CHECKING:
    from kg.backends.connection import Connection
    from kg.model import Edge, EdgeKey, Entity, EntityKey

__all__ = ["edge_rows", "edges_of", "entities_of"]


def entities_of(connection: Connection, keys: Collection[EntityKey]) -> list[Entity]:
    """Return the entities of these keys that are there, in the order of the keys."""
    wanted = list(dict.fromkeys(keys))
    rows = connection.read(statements.FIND_ENTITIES, {"keys": wanted}) if wanted else []
    found = {entity.key: entity for entity in (entity_from_row(*row) for row in rows)}
    return [found[key] for key in wanted if key in found]


def edges_of(connection: Connection, keys: Collection[EdgeKey]) -> list[Edge]:
    """Return the edges of these keys that are there; no edge has a relation that is no name."""
    wanted = list(dict.fromkeys(keys))
    found: dict[EdgeKey, Edge] = {}
    for relation, group in by_relation(wanted).items():
        if is_name(relation):
            text = statements.find_edges(relation)
            found |= by_key(relation, connection.read(text, {"rows": list(map(ends, group))}))
    return [found[key] for key in wanted if key in found]


def edge_rows(
    connection: Connection,
    *,
    head: EntityKey | None = None,
    relation: str | None = None,
    tail: EntityKey | None = None,
    limit: int | None = None,
    after: EdgeKey | None = None,
) -> list[list[Any]]:
    """Return rows of edges that match; no edge has a relation that is no name."""
    if relation is not None and not is_name(relation):
        return []
    text = statements.edges(
        head=head is not None, relation=relation, tail=tail is not None,
        limited=limit is not None, later=after is not None,
    )  # fmt: skip
    given = {"head": head, "tail": tail, "limit": limit, "after": after and [*after]}
    return connection.read(text, given)
