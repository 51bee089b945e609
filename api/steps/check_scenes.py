"""The step that checks what is said of pictures: predicates by their boxes, texts by the picture.

Nothing in the graph is changed; each row shows both sides.
"""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.check_schemas import PredicateFlagOut, TextFlagOut, VoteOut
from api.steps.kept_checks import keep_checks
from api.views import record_out
from kg.files import atomic_write
from kg.model import EntityKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from api.engine import Engine
    from kg.model import Edge, Entity
    from scenes.model import Region
    from scenes.witnesses import Conflict, TextClaims

__all__ = ["check_scenes", "ruled_out_edges"]


def check_scenes(
    engine: Engine,
    *,
    descriptions: Path | None = None,
    key: str = "country:{entity_id}",
    drawn_alike: Path | None = None,
    out: Path | None = None,
) -> list[dict[str, Any]]:
    """Return what is in conflict with a picture of the graph.

    Args:
        engine: Whose graph and pictures.
        descriptions: JSON Lines with ``entity_id`` and ``description``; None checks no text.
        key: Template of an entity's key from ``entity_id``.
        drawn_alike: JSON object whose ``union`` is a list of sets of ids drawn alike.
        out: Gets the rows as JSON Lines, whole or not at all.

    Returns:
        Rows of case ``geometry`` (a predicate, who says it how surely, what the boxes say), then
        of case ``text`` (a claim, whether the text names it, the votes of both witnesses). The
        latter are kept in the working folder, for `api.steps.entity_checks`.

    Raises:
        RecordError: A description is unreadable.
        InputError: Fewer than ten pictures have a description and parts.

    Example:
        >>> rows = check_scenes(engine)  # doctest: +SKIP
    """
    parts = dict(_parts_of(engine))
    flags: list[PredicateFlagOut | TextFlagOut] = []
    for key_of, found in parts.items():
        parent = engine.store.entity(EntityKey(key_of))
        if parent is not None:
            edges = engine.store.edges_from([part.key for part in found])
            flags += ruled_out_edges(parent, found, edges)
    if descriptions is not None:
        flags += _text_flags(engine, parts, descriptions, key, drawn_alike)
    rows = [flag.model_dump(mode="json") for flag in flags]
    if out is not None:
        with atomic_write(out) as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n")
    return rows


def _parts_of(engine: Engine) -> Iterator[tuple[str, list[Entity]]]:
    edges = engine.store.edges(relation="has_part")
    for parent, group in groupby(edges, key=lambda edge: edge.head):
        found = engine.store.entities_of([edge.tail for edge in group])
        yield str(parent), [part for part in found if part.part is not None]


def ruled_out_edges(
    parent: Entity, parts: Sequence[Entity], edges: Iterable[Edge]
) -> Iterator[PredicateFlagOut]:
    """Iterate those edges between parts of one picture that their boxes rule out.

    Args:
        parent: The entity whose picture it is.
        parts: Its parts.
        edges: That start at its parts; those that end elsewhere are passed over.
    """
    from scenes.rulings import ruled_out

    of = {part.key: part.part for part in parts if part.part is not None}
    sides = {one.sha256: float(max(one.width, one.height)) for one in parent.images}
    for edge in edges:
        mine, other = of.get(edge.head), of.get(edge.tail)
        if mine is None or other is None or other.image != mine.image:
            continue
        side = sides.get(mine.image)
        why = ruled_out(edge.relation, mine.box_xyxy, other.box_xyxy, side=side)
        if why is not None:
            yield PredicateFlagOut(
                entity=parent.key,
                image=mine.image,
                subject=edge.head,
                predicate=edge.relation,
                object=edge.tail,
                said=tuple(map(record_out, edge.provenance)),
                geometry=why,
                boxes_xyxy=(mine.box_xyxy, other.box_xyxy),
            )


def _text_flags(
    engine: Engine,
    parts: Mapping[str, Sequence[Entity]],
    descriptions: Path,
    key: str,
    drawn_alike: Path | None,
) -> list[TextFlagOut]:
    """Return conflicts of texts and pictures, and keep them to be read by entity."""
    from api.steps.scenes import read_descriptions, read_tied
    from scenes.witnesses import check_texts

    version = engine.store.version
    texts = read_descriptions(descriptions, key)
    pictures = _pictures(engine, {name: parts[name] for name in texts if name in parts}, texts)
    found = check_texts(pictures, tied=read_tied(drawn_alike, key))
    flags = [_text_flag(one, texts[one.key]) for one in found]
    keep_checks(engine.workspace, version, [one.key for one in pictures], flags)
    return flags


def _text_flag(conflict: Conflict, description: str) -> TextFlagOut:
    return TextFlagOut(
        entity=conflict.key,
        claim=conflict.claim,
        text=conflict.text,
        description=description,
        picture=conflict.picture,
        votes=tuple(map(VoteOut.of, conflict.votes)),
    )


def _pictures(
    engine: Engine, parts: Mapping[str, Sequence[Entity]], texts: Mapping[str, str]
) -> list[TextClaims]:
    """Return the pictures whose parts keep their masks, the first of an entity."""
    import numpy as np

    from api.steps.encoders import image_encoder
    from api.steps.knowledge_base import opened
    from scenes.witnesses import TextClaims

    regions = {name: _regions(engine, found) for name, found in parts.items()}
    names = [name for name in sorted(regions) if regions[name]]
    shas = {name: next(p.part.image for p in parts[name] if p.part) for name in names}
    images = {name: opened(engine, shas[name]) for name in names}
    pooled = image_encoder(engine).encode(list(images.values())).pooled.astype(np.float64)
    return [
        TextClaims(
            key=name, text=texts[name], image=images[name], regions=regions[name], vector=vector
        )
        for name, vector in zip(names, pooled, strict=True)
    ]


def _regions(engine: Engine, parts: Sequence[Entity]) -> tuple[Region, ...]:
    """Return the parts of an entity's first picture as regions, with the labels of the graph."""
    from scenes.masks import decode_rle
    from scenes.model import Region

    found = []
    for entity in parts:
        part = entity.part
        first = parts[0].part
        if part is None or first is None or part.mask_rle is None or part.image != first.image:
            continue
        labels = list(engine.store.edges(head=entity.key, relation="has_label"))
        label = str(labels[0].tail).partition(":")[2] if labels else None
        kind = entity.attributes.get("kind")
        found.append(
            Region(
                box_xyxy=part.box_xyxy,
                mask=decode_rle(part.mask_rle),
                colour=part.colour or "",
                rgb=(0, 0, 0),
                label=label,
                label_probability=part.confidence if labels else 0.0,
                kind="emblem" if kind == "emblem" else "other" if kind == "other" else "figure",
            )
        )
    return tuple(found)
