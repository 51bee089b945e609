"""The step that puts pictures of the graph on one sheet, with their parts and relations."""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING

from kg.errors import MissingPartError, UnknownEntityError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from api.engine import Engine
    from kg.model import Edge, Entity, EntityKey
    from scenes.sheet import Tile

__all__ = ["sheet_tiles"]

MOST_RELATIONS = 12
"""Shown of one picture, the likeliest."""


def sheet_tiles(engine: Engine, keys: Sequence[str] = (), *, most: int = 24) -> list[Tile]:
    """Gather pictures with parts, whether found (`scenes run`) or annotated (`scenes import`).

    Args:
        engine: Whose graph and images.
        keys: Entities whose pictures are shown; none for the first in the order of their keys.
        most: Largest number of pictures.

    Raises:
        UnknownEntityError: A key names no entity.
        MissingPartError: No picture with parts is there.

    Example:
        >>> from scenes.sheet import sheet_svg
        >>> svg = sheet_svg(sheet_tiles(engine, most=12), columns=3)  # doctest: +SKIP
    """
    from kg.model import EntityKey

    wanted = [EntityKey(key) for key in keys]
    for key in wanted:
        if engine.store.entity(key) is None:
            raise UnknownEntityError(key)
    found = (tile for parent in _parents(engine, wanted) for tile in _tiles(engine, *parent))
    tiles = list(islice(found, most))
    if not tiles:
        raise MissingPartError(
            "no picture with parts",
            where="the graph",
            hint="run `umbra scenes run` or `umbra scenes import` first",
        )
    return tiles


def _parents(
    engine: Engine, keys: Sequence[EntityKey]
) -> Iterator[tuple[EntityKey, list[EntityKey]]]:
    """Iterate entities and the keys of their parts."""
    if keys:
        edges: Iterator[Edge] = (
            edge for key in keys for edge in engine.store.edges(head=key, relation="has_part")
        )
    else:
        edges = engine.store.edges(relation="has_part")
    for parent, group in groupby(edges, key=lambda edge: edge.head):
        yield parent, [edge.tail for edge in group]


def _tiles(engine: Engine, parent: EntityKey, keys: Sequence[EntityKey]) -> Iterator[Tile]:
    """Iterate the pictures of one entity."""
    from api.steps.knowledge_base import opened
    from scenes.sheet import Tile

    named = engine.store.entity(parent)
    parts = [part for key in keys if (part := engine.store.entity(key)) is not None and part.part]
    by_image: dict[str, list[Entity]] = {}
    for entity in parts:
        if entity.part is not None:
            by_image.setdefault(entity.part.image, []).append(entity)
    for sha256, shown in by_image.items():
        yield Tile(
            title=str(parent) if named is None else named.name,
            image=opened(engine, sha256),
            boxes=[entity.part.box_xyxy for entity in shown if entity.part is not None],
            labels=[entity.name for entity in shown],
            relations=_relations(engine, shown),
        )


def _relations(engine: Engine, parts: Sequence[Entity]) -> list[tuple[int, str, int]]:
    """Return what joins parts, the likeliest first."""
    place = {entity.key: number for number, entity in enumerate(parts)}
    found = []
    for key, subject in place.items():
        for edge in engine.store.edges(head=key):
            if edge.tail in place:
                sure = max((record.probability for record in edge.provenance), default=1.0)
                found.append((-sure, subject, edge.relation, place[edge.tail]))
    return [(subject, name, other) for _, subject, name, other in sorted(found)[:MOST_RELATIONS]]
