"""What the graph holds of one entity, as evidence: passages, facts, images and their parts.

The dual view of a document: its text, tables and pictures stand beside the entities, and every
piece is tied to what it belongs to. Nothing is extracted or stored here: each piece is read from
the store with its record, so that taking a source away takes exactly its evidence away. Two things
of one name are never one: only a link that the graph holds makes them so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from api.retrieval.schemas import EvidenceOut
from kg.prose import Piece, pieces_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.engine import Engine
    from api.records import Records
    from kg.model import Edge, Entity, EntityKey
    from kg.provenance import Provenance
    from kg.text_units import Granularity

__all__ = ["BYTES", "evidence_of", "passage_of", "tokens_of"]

BYTES = 3
"""Of a text for one token: fewer than most models take."""
PLAIN = frozenset(("abstract", "about", "content", "description", "prose", "summary", "text"))
"""Attributes whose name says no more than that they hold prose."""
MAX_EDGES = 300
"""Edges read of an entity."""


def tokens_of(text: str) -> int:
    """Return an upper estimate of a text's tokens: one for every three bytes of UTF-8.

    Example:
        >>> tokens_of("Chad borders Niger")
        6
    """
    return -(-len(text.encode()) // BYTES)


def evidence_of(
    engine: Engine,
    entity: Entity,
    granularity: Granularity = "passage",
    *,
    room: int | None = None,
    held: Records | None = None,
) -> Iterator[EvidenceOut]:
    """Iterate all evidence of an entity: what it is, its prose, facts, images and parts.

    Args:
        engine: The graph.
        entity: Which.
        granularity: How fine its prose is cut.
        room: Characters that there is room for, as `kg.text_units.units` takes it.
        held: What was read of the store as it is now; it is asked for if None.
    """
    known = engine.settings.known_probability
    source, status, probability = _standing(entity.provenance, known)
    also = f"; also {', '.join(entity.aliases[:3])}" if entity.aliases else ""
    plain = [
        f"{name} {value}"
        for name, value in sorted(entity.attributes.items())
        if not isinstance(value, str | tuple)
    ]
    said = f". {'; '.join(plain)}" if plain else ""
    yield EvidenceOut(
        key=f"entity/{entity.key}",
        kind="entity",
        entity=entity.key,
        text=f"{entity.name} ({entity.label}){also}{said}",
        source=source,
        status=status,
        probability=probability,
    )
    for piece in pieces_of(entity, granularity, room=room):
        yield passage_of(entity, piece, source)
    held = held or engine.records()
    edges = held.neighbours(entity.key, relation=None, direction="both", limit=MAX_EDGES)
    held.read(edge.tail if edge.head == entity.key else edge.head for edge in edges)
    yield from _facts(held, entity, edges, known)


def passage_of(entity: Entity, piece: Piece, source: str, *, named: bool = True) -> EvidenceOut:
    """Return a piece of an entity's prose as evidence.

    Args:
        entity: Whose.
        piece: Which.
        source: Where the entity was read.
        named: Whether the line says which attribute it is.
    """
    plain = piece.attribute.partition("[")[0] in PLAIN
    told = f", {piece.attribute.replace('_', ' ')}" if named and not plain else ""
    return EvidenceOut(
        key=f"passage/{entity.key}/{piece.attribute}/{piece.start}-{piece.end}",
        kind="passage",
        entity=entity.key,
        text=f"{entity.name}{told}: {' '.join(piece.text.split())}",
        source=source,
        status="known",
        probability=1.0,
        place=piece.place,
    )


def _facts(
    held: Records, entity: Entity, edges: Sequence[Edge], known: float
) -> Iterator[EvidenceOut]:
    for edge in edges:
        out = edge.head == entity.key
        other = held.entity(edge.tail if out else edge.head)
        if other is None:
            continue
        source, status, probability = _standing(edge.provenance, known)
        part = other.part if out and edge.relation == "has_part" else None
        names = (entity.name, other.name) if out else (other.name, entity.name)
        yield EvidenceOut(
            key=f"{'fact' if part is None else 'part'}/{edge.head}/{edge.relation}/{edge.tail}",
            kind="fact" if part is None else "part",
            entity=entity.key,
            text=f"{names[0]} {edge.relation.replace('_', ' ')} {names[1]}",
            source=source,
            status=status,
            probability=probability,
            image=None if part is None else part.image,
            box=None if part is None else part.box_xyxy,
            links=(other.key,),
        )
    for number, image in enumerate(entity.images):
        seen = [e.tail for e in edges if e.head == entity.key and e.relation == "has_part"]
        shown = ", ".join(_names(held, seen[:12])) or "no part was told apart"
        yield EvidenceOut(
            key=f"image/{entity.key}/{number}",
            kind="image",
            entity=entity.key,
            text=f"picture of {entity.name}: {shown}",
            source=image.source,
            status="known",
            probability=1.0,
            image=image.sha256,
            links=tuple(seen),
        )


def _names(held: Records, keys: Sequence[EntityKey]) -> list[str]:
    found = (held.entity(key) for key in keys)
    return [one.name for one in found if one is not None]


def _standing(
    records: Sequence[Provenance], known: float
) -> tuple[str, Literal["known", "likely"], float]:
    """Return source, status and probability by the strongest record; without one it is asserted."""
    if not records:
        return "the graph", "known", 1.0
    best = max(records, key=lambda record: record.probability)
    place = f" {best.locator}" if best.locator else ""
    model = f" by {best.model}" if best.model else ""
    source = f"{best.kind} {best.source}{place}{model}"
    return source, "known" if best.probability >= known else "likely", best.probability
