"""What is in conflict with the pictures of one entity, cheap enough for a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.check_schemas import ChecksOut
from api.cursors import cursor_of, texts_of
from api.steps.check_scenes import ruled_out_edges
from api.steps.kept_checks import kept_checks
from kg.errors import UnknownEntityError
from kg.model import EntityKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.engine import Engine
    from kg.model import Edge, EdgeKey, Entity
    from kg.store import Store

__all__ = ["checks_of"]

MOST_EDGES = 5000
"""Edges of parts that one request reads."""
FIRST_PARTS = 10
"""Parts whose edges are read first."""
_WHOLE = ("", "")
"""In a cursor: all edges of its part were read."""


def checks_of(
    engine: Engine,
    key: str,
    *,
    limit: int = 100,
    after: str | None = None,
    most_edges: int = MOST_EDGES,
) -> ChecksOut:
    """Return what boxes rule out now, and the text's conflicts of the last `umbra scenes check`.

    Args:
        engine: Whose graph.
        key: The entity whose pictures are checked.
        limit: Most parts of a page.
        after: The `next` of the page before; texts come with the first page.
        most_edges: Most edges that are read for a page.

    Raises:
        UnknownEntityError: No entity has this key.
        InputError: `after` is no cursor of such a page.
        ForeignFileError: The file of the last run is unreadable.

    Example:
        >>> checks_of(engine, "country:AL").predicates  # doctest: +SKIP
    """
    store, name = engine.store, EntityKey(key)
    parent = store.entity(name)
    if parent is None:
        raise UnknownEntityError(key)
    ended = None if after is None else texts_of(after, 3)
    heads = _parts(store, name, limit + 1, ended)
    edges, ended = _edges(store, heads[:limit], ended, most_edges)
    if ended is None and len(heads) > limit:
        ended = (heads[limit - 1], *_WHOLE)
    ends = list(dict.fromkeys([*heads[:limit], *(edge.tail for edge in edges)]))
    kept = None if after is not None else kept_checks(engine.workspace)
    return ChecksOut(
        key=key,
        predicates=tuple(ruled_out_edges(parent, _of_parent(store, name, ends), edges)),
        truncated=ended is not None,
        next=None if ended is None else cursor_of(ended),
        texts=() if kept is None else kept.flags.get(key, ()),
        texts_checked=kept is not None and key in kept.flags,
        texts_version=None if kept is None else kept.version,
    )


def _parts(
    store: Store, parent: EntityKey, count: int, ended: tuple[str, ...] | None
) -> list[EntityKey]:
    """Return the next parts, the one first whose edges a page left off in."""
    if ended is None:
        past, begun = None, []
    else:
        past = (parent, "has_part", EntityKey(ended[0]))
        begun = [EntityKey(ended[0])] if ended[1:] != _WHOLE else []
    own = store.neighbours(
        parent, relation="has_part", direction="out", limit=count - len(begun), after=past
    )
    return [*begun, *(edge.tail for edge in own)]


def _edges(
    store: Store, parts: Sequence[EntityKey], ended: tuple[str, ...] | None, most: int
) -> tuple[list[Edge], tuple[str, ...] | None]:
    """Return the edges that go out from parts, and where they were left off, None at their end.

    The store goes over all edges of the parts that it is asked for, however few it returns. So the
    first parts are read, then as many as will fill the page if they have as many edges each.
    """
    past: EdgeKey | None = None
    if ended is not None and ended[1:] != _WHOLE:
        past = (EntityKey(ended[0]), ended[1], EntityKey(ended[2]))
    edges: list[Edge] = []
    read, count = 0, FIRST_PARTS
    while read < len(parts):
        left = most - len(edges)
        if not left:
            return edges, (parts[read - 1], *_WHOLE)
        found = store.edges_from(parts[read : read + count], limit=left + 1, after=past)
        edges += found[:left]
        if len(found) > left:
            return edges, edges[-1].key
        read, past = min(read + count, len(parts)), None
        count = max(1, (most - len(edges)) * read // max(1, len(edges)))
    return edges, None


def _of_parent(store: Store, parent: EntityKey, keys: Sequence[EntityKey]) -> list[Entity]:
    """Return those of some entities that are parts of a picture of `parent`."""
    own = store.edges_of([(parent, "has_part", key) for key in keys])
    return store.entities_of([edge.tail for edge in own])
