"""What is in conflict with the pictures of one entity, cheap enough for a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.check_schemas import ChecksOut
from api.steps.check_scenes import ruled_out_edges
from api.steps.kept_checks import kept_checks
from kg.errors import UnknownEntityError
from kg.model import EntityKey

if TYPE_CHECKING:
    from api.engine import Engine

__all__ = ["checks_of"]

_MOST_EDGES = 1000
"""Edges of a part that one request reads."""


def checks_of(engine: Engine, key: str, *, limit: int = 100) -> ChecksOut:
    """Return what boxes rule out now, and the text's conflicts of the last `umbra scenes check`.

    Args:
        engine: Whose graph.
        key: The entity whose pictures are checked.
        limit: Most parts.

    Raises:
        UnknownEntityError: No entity has this key.
        ForeignFileError: The file of the last run is unreadable.

    Example:
        >>> checks_of(engine, "country:AL").predicates  # doctest: +SKIP
    """
    store, name = engine.store, EntityKey(key)
    parent = store.entity(name)
    if parent is None:
        raise UnknownEntityError(key)
    own = store.neighbours(name, relation="has_part", direction="out", limit=limit + 1)
    found = (store.entity(edge.tail) for edge in own[:limit])
    parts = [part for part in found if part is not None and part.part is not None]
    pages = [store.neighbours(part.key, direction="out", limit=_MOST_EDGES + 1) for part in parts]
    edges = (edge for page in pages for edge in page[:_MOST_EDGES])
    kept = kept_checks(engine.workspace)
    return ChecksOut(
        key=key,
        predicates=tuple(ruled_out_edges(parent, parts, edges)),
        truncated=len(own) > limit or any(len(page) > _MOST_EDGES for page in pages),
        texts=() if kept is None else kept.flags.get(key, ()),
        texts_checked=kept is not None and key in kept.flags,
        texts_version=None if kept is None else kept.version,
    )
