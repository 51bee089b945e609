"""An entity as every door shows it: images, parts, and a page of its edges with their records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.schemas import EntityOut
from api.views import edge_out, image_out, part_out
from kg.errors import MissingPartError, UnknownEntityError
from kg.model import EntityKey

if TYPE_CHECKING:
    from api.engine import Engine

__all__ = ["show_entity"]


def show_entity(engine: Engine, key: str, *, limit: int) -> EntityOut:
    """Return an entity with up to `limit` edges; see `Engine.entity`."""
    store = engine.store
    found = store.entity(EntityKey(key))
    if found is None:
        raise UnknownEntityError(key, nearest=_nearest(engine, key))
    edges = store.neighbours(found.key, direction="both", limit=limit + 1)
    tails = (store.entity(e.tail) for e in edges if e.relation == "has_part")
    parts = (part_out(p, found) for p in tails if p is not None and p.part is not None)
    parent = None if found.part is None else store.entity(found.part.parent)
    known = engine.settings.known_probability

    def name(key: str) -> str:
        return _name(engine, key)

    return EntityOut(
        key=found.key,
        label=found.label,
        name=found.name,
        aliases=found.aliases,
        attributes=dict(found.attributes),
        images=tuple(map(image_out, found.images)),
        parts=tuple(part for part in parts if part is not None),
        part=part_out(found, parent),
        edges=tuple(edge_out(edge, name, known) for edge in edges[:limit]),
        truncated=len(edges) > limit,
    )


def _name(engine: Engine, key: str) -> str:
    try:
        position = engine.snapshot.entities.get(key)
    except MissingPartError:
        position = None
    if position is not None:
        return engine.snapshot.names[position]
    found = engine.store.entity(EntityKey(key))
    return key if found is None else found.name


def _nearest(engine: Engine, key: str) -> tuple[str, ...]:
    try:
        return engine.snapshot.entities.nearest(key)
    except MissingPartError:
        return ()
