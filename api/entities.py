"""An entity as every door shows it: images, parts, and a page of its edges with their records."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from api.cursors import cursor_of, edge_of
from api.schemas import EdgesOut, EntityOut
from api.views import edge_out, image_out, part_out
from kg.errors import MissingPartError, UnknownEntityError
from kg.model import EntityKey

if TYPE_CHECKING:
    from api.engine import Engine
    from api.records import Records
    from kg.model import EdgeKey
    from kg.store import Direction

__all__ = ["show_edges", "show_entity"]


def show_entity(engine: Engine, key: str, *, limit: int, after: EdgeKey | None = None) -> EntityOut:
    """Return an entity with up to `limit` edges; see `Engine.entity`."""
    store = engine.records()
    found = store.entity(EntityKey(key))
    if found is None:
        raise UnknownEntityError(key, nearest=_nearest(engine, key))
    page = _page(engine, store, found.key, limit=limit, after=after)
    own = page
    if page.truncated or after is not None:  # a page of many may hold none of its parts
        own = _page(engine, store, found.key, relation="has_part", direction="out", limit=limit)
    keys = [EntityKey(edge.tail) for edge in own.edges if edge.relation == "has_part"]
    store.read(keys)
    tails = map(store.entity, keys)
    parts = (part_out(p, found) for p in tails if p is not None and p.part is not None)
    parent = None if found.part is None else store.entity(found.part.parent)
    return EntityOut(
        key=found.key,
        label=found.label,
        name=found.name,
        aliases=found.aliases,
        attributes=dict(found.attributes),
        images=tuple(map(image_out, found.images)),
        parts=tuple(part for part in parts if part is not None),
        part=part_out(found, parent),
        edges=page.edges,
        truncated=page.truncated,
        next=page.next,
    )


def show_edges(
    engine: Engine,
    key: str,
    *,
    relation: str | None = None,
    direction: Direction = "both",
    limit: int,
    after: str | None = None,
) -> EdgesOut:
    """Return up to `limit` edges of an entity, of one relation or of all, after a cursor.

    Raises:
        UnknownEntityError: No entity has this key.
        InputError: `after` is no cursor.
    """
    store = engine.records()
    if store.entity(EntityKey(key)) is None:
        raise UnknownEntityError(key, nearest=_nearest(engine, key))
    return _page(
        engine,
        store,
        EntityKey(key),
        relation=relation,
        direction=direction,
        limit=limit,
        after=None if after is None else edge_of(after),
    )


def _page(
    engine: Engine,
    store: Records,
    key: EntityKey,
    *,
    relation: str | None = None,
    direction: Direction = "both",
    limit: int,
    after: EdgeKey | None = None,
) -> EdgesOut:
    edges = store.neighbours(
        key, relation=relation, direction=direction, limit=limit + 1, after=after
    )
    shown = edges[:limit]
    ends = (end for edge in shown for end in (edge.head, edge.tail))
    store.read(EntityKey(end) for end in ends if _position(engine, end) is None)
    known = engine.settings.known_probability
    return EdgesOut(
        edges=tuple(edge_out(edge, partial(_name, engine, store), known) for edge in shown),
        truncated=len(edges) > limit,
        next=cursor_of(edges[limit - 1].key) if len(edges) > limit > 0 else None,
    )


def _position(engine: Engine, key: str) -> int | None:
    try:
        return engine.snapshot.entities.get(key)
    except MissingPartError:
        return None


def _name(engine: Engine, store: Records, key: str) -> str:
    position = _position(engine, key)
    if position is not None:
        return engine.snapshot.names[position]
    found = store.entity(EntityKey(key))
    return key if found is None else found.name


def _nearest(engine: Engine, key: str) -> tuple[str, ...]:
    try:
        return engine.snapshot.entities.nearest(key)
    except MissingPartError:
        return ()
