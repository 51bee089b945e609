"""Look-ups by key: a statement for all entities, and for all edges of a relation."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from kg.backends import statements
from kg.backends.edge_maps import by_key, by_relation, ends
from kg.backends.merging import check_limit
from kg.backends.names import is_name
from kg.backends.rows import edge_from_row, entity_from_row

if TYPE_CHECKING:
    from kg.backends.connection import Connection
    from kg.model import Edge, EdgeKey, Entity, EntityKey
    from kg.store import Direction

__all__ = ["edge_rows", "edges_from", "edges_of", "entities_of", "neighbours"]


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


def edges_from(
    connection: Connection,
    keys: Collection[EntityKey],
    *,
    limit: int | None = None,
    after: EdgeKey | None = None,
) -> list[Edge]:
    """Return the edges that go out from these entities, in order, by one statement."""
    wanted = list(dict.fromkeys(keys))
    if limit is not None:
        check_limit(limit)
    if not wanted:
        return []
    text = statements.edges_from(limited=limit is not None, later=after is not None)
    given = {"keys": wanted, "limit": limit, "after": after and [*after]}
    rows = connection.read(text, given)
    return [edge_from_row(*row) for row in sorted(rows, key=lambda row: row[:3])]


def neighbours(
    connection: Connection, key: EntityKey, direction: Direction, *, limit: int, **which: Any
) -> list[Edge]:
    """Return up to `limit` edges at an entity, in order."""
    cut = {"limit": check_limit(limit), **which}
    rows = edge_rows(connection, head=key, **cut) if direction in ("out", "both") else []
    rows += edge_rows(connection, tail=key, **cut) if direction in ("in", "both") else []
    found = {edge.key: edge for edge in (edge_from_row(*row) for row in rows)}
    return [found[edge] for edge in sorted(found)[:limit]]


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
