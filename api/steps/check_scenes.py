"""The step that checks what is said of pictures: predicates by their boxes, texts by the picture.

Nothing in the graph is changed; each row shows both sides.
"""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from api.engine import Engine
    from kg.model import Edge, Entity
    from scenes.model import Region
    from scenes.witnesses import TextClaims

__all__ = ["check_scenes"]


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
        of case ``text`` (a claim, whether the text names it, the votes of both witnesses).

    Raises:
        RecordError: A description is unreadable.
        InputError: Fewer than ten pictures have a description and parts.

    Example:
        >>> rows = check_scenes(engine)  # doctest: +SKIP
    """
    parts = dict(_parts_of(engine))
    rows = [row for parent, found in parts.items() for row in _ruled_out(engine, parent, found)]
    if descriptions is not None:
        rows += _text_rows(engine, parts, descriptions, key, drawn_alike)
    if out is not None:
        with atomic_write(out) as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n")
    return rows


def _parts_of(engine: Engine) -> Iterator[tuple[str, list[Entity]]]:
    edges = engine.store.edges(relation="has_part")
    for parent, group in groupby(edges, key=lambda edge: edge.head):
        found = (engine.store.entity(edge.tail) for edge in group)
        yield str(parent), [part for part in found if part is not None and part.part is not None]


def _ruled_out(engine: Engine, parent: str, parts: Sequence[Entity]) -> Iterator[dict[str, Any]]:
    """Iterate edges between parts of one picture that their boxes rule out."""
    from scenes.rulings import ruled_out

    of = {part.key: part.part for part in parts if part.part is not None}
    for subject, mine in of.items():
        for edge in engine.store.edges(head=subject):
            other = of.get(edge.tail)
            if other is None or other.image != mine.image:
                continue
            why = ruled_out(edge.relation, mine.box_xyxy, other.box_xyxy)
            if why is not None:
                yield {
                    "case": "geometry",
                    "entity": parent,
                    "image": mine.image,
                    "subject": str(subject),
                    "predicate": edge.relation,
                    "object": str(edge.tail),
                    "said": _said(edge),
                    "geometry": why,
                    "boxes_xyxy": [list(mine.box_xyxy), list(other.box_xyxy)],
                }


def _said(edge: Edge) -> list[dict[str, Any]]:
    return [
        {
            "kind": record.kind,
            "source": record.source,
            "model": record.model,
            "probability": record.probability,
        }
        for record in edge.provenance
    ]


def _text_rows(
    engine: Engine,
    parts: Mapping[str, Sequence[Entity]],
    descriptions: Path,
    key: str,
    drawn_alike: Path | None,
) -> list[dict[str, Any]]:
    from api.steps.scenes import read_descriptions, read_tied
    from scenes.witnesses import check_texts

    texts = read_descriptions(descriptions, key)
    pictures = _pictures(engine, {name: parts[name] for name in texts if name in parts}, texts)
    return [
        {
            "case": "text",
            "entity": one.key,
            "claim": one.claim,
            "text": one.text,
            "description": texts[one.key],
            "picture": one.picture,
            "votes": [
                {
                    "witness": vote.witness,
                    "log_odds": vote.log_odds,
                    "refutes_below": _finite(vote.refutes),
                    "supports_above": _finite(vote.supports),
                }
                for vote in one.votes
            ],
        }
        for one in check_texts(pictures, tied=read_tied(drawn_alike, key))
    ]


def _finite(threshold: float) -> float | None:
    """None where a witness may never say so: JSON has no infinity."""
    return threshold if abs(threshold) != float("inf") else None


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
