"""The step that puts pictures of the graph on one sheet, with their parts and relations."""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING

from kg.errors import MissingPartError, UnknownEntityError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from api.engine import Engine
    from kg.model import Edge, Entity, EntityKey, ImagePart
    from scenes.masks import Mask
    from scenes.model import Pixels
    from scenes.sheet import Tile

__all__ = ["sheet_tiles"]

_FIND_PARTS = "find them by `umbra scenes run`, or bring them by `umbra scenes import`"
MOST_RELATIONS = 12
"""Shown of one picture, the likeliest."""


def sheet_tiles(
    engine: Engine,
    keys: Sequence[str] = (),
    *,
    labels: Sequence[str] = (),
    most: int = 24,
    side: int | None = None,
) -> list[Tile]:
    """Gather pictures with parts, whether found (`scenes run`) or annotated (`scenes import`).

    Args:
        engine: Whose graph and images.
        keys: Entities whose pictures are shown; none for the first in the order of their keys.
        labels: Without keys, only entities of one of these.
        most: Largest number of pictures.
        side: Pixels of the longer side that pictures are made smaller to: as many as are drawn
            spare the memory of the rest.

    Raises:
        UnknownEntityError: A key names no entity.
        MissingPartError: None of these pictures has parts, or nothing that is asked for has any.

    Example:
        >>> from scenes.sheet import sheet_svg
        >>> svg = sheet_svg(sheet_tiles(engine, most=12), columns=3)  # doctest: +SKIP
    """
    from kg.model import EntityKey

    wanted = [EntityKey(key) for key in keys]
    asked = engine.store.entities_of(wanted)
    there = {entity.key for entity in asked}
    for key in wanted:
        if key not in there:
            raise UnknownEntityError(key)
    found = (
        tile
        for parent in _parents(engine, wanted, frozenset(labels))
        for tile in _tiles(engine, *parent, side)
    )
    tiles = list(islice(found, most))
    if not tiles:
        raise _nothing_to_show(asked, labels)
    return tiles


def _nothing_to_show(asked: Sequence[Entity], labels: Sequence[str]) -> MissingPartError:
    """Say which pictures lack parts: those asked for, or all of the graph."""
    if not asked:
        of = f" of an entity labelled {' or '.join(labels)}" if labels else ""
        return MissingPartError(f"no picture with parts{of}", where="the graph", hint=_FIND_PARTS)
    where = ", ".join(entity.key for entity in asked)
    part = next((entity.part for entity in asked if entity.part is not None), None)
    if part is not None:
        return MissingPartError(
            "a part has no parts", where=where, hint=f"name whose picture it is of: {part.parent}"
        )
    if any(entity.images for entity in asked):
        return MissingPartError("no parts of the picture are known", where=where, hint=_FIND_PARTS)
    return MissingPartError("no picture", where=where, hint="name an entity that has one")


def _parents(
    engine: Engine, keys: Sequence[EntityKey], labels: frozenset[str]
) -> Iterator[tuple[Entity, list[EntityKey]]]:
    """Iterate entities and the keys of their parts."""
    if keys:
        edges: Iterator[Edge] = (
            edge for key in keys for edge in engine.store.edges(head=key, relation="has_part")
        )
    else:
        edges = engine.store.edges(relation="has_part")
    for parent, group in groupby(edges, key=lambda edge: edge.head):
        named = engine.store.entity(parent)
        if named is not None and (keys or not labels or named.label in labels):
            yield named, [edge.tail for edge in group]


def _tiles(
    engine: Engine, parent: Entity, keys: Sequence[EntityKey], side: int | None
) -> Iterator[Tile]:
    """Iterate the pictures of one entity."""
    from scenes.look import MOST_DRAWN
    from scenes.sheet import Tile

    parts = [part for key in keys if (part := engine.store.entity(key)) is not None and part.part]
    by_image: dict[str, list[Entity]] = {}
    for entity in parts:
        if entity.part is not None:
            by_image.setdefault(entity.part.image, []).append(entity)
    for sha256, every in by_image.items():
        shown = every[:MOST_DRAWN]
        of = [entity.part for entity in shown if entity.part is not None]
        image, (across, down) = _pixels(engine, sha256, side)
        boxes = [part.box_xyxy for part in of]
        yield Tile(
            title=parent.name,
            image=image,
            boxes=[(x1 * across, y1 * down, x2 * across, y2 * down) for x1, y1, x2, y2 in boxes],
            labels=[entity.name for entity in shown],
            masks=[_mask(part, image, (across, down)) for part in of],
            relations=_relations(engine, shown),
        )


def _pixels(engine: Engine, sha256: str, side: int | None) -> tuple[Pixels, tuple[float, float]]:
    """Return an image, and how much smaller it was made across and down."""
    import numpy as np

    from api.steps.knowledge_base import opened
    from api.thumbnails import smaller

    if side is None:
        return opened(engine, sha256), (1.0, 1.0)
    small, scale = smaller(engine.images.path(sha256).read_bytes(), side)
    return np.asarray(small.convert("RGB")), scale


def _mask(part: ImagePart, image: Pixels, scale: tuple[float, float]) -> Mask | None:
    """Return a part's mask at the size of its image; None if it has none, or one of another."""
    import numpy as np
    from PIL import Image

    from scenes.masks import decode_rle

    if part.mask_rle is None:
        return None
    mask = decode_rle(part.mask_rle)
    height, width = image.shape[:2]
    if (round(mask.shape[1] * scale[0]), round(mask.shape[0] * scale[1])) != (width, height):
        return None
    return np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST))


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
