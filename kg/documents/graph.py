"""A document as entities and edges: the dual view, text beside tables beside pictures.

The document ``contains`` its units, each ``follows`` the one before it. Every record names the
document and the span, so that an answer can cite it and the document can be taken back whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kg.documents.reading import Document
from kg.documents.units import Figure, Passage, Table, Unit
from kg.model import AttributeValue, Edge, Entity, EntityKey, ImageRef
from kg.provenance import Provenance

__all__ = ["JOB", "LAST", "DocumentGraph", "document_graph", "document_key", "job_of", "text_of"]

JOB = "document-"
"""Begins the job of every record of a document."""
LAST = "last_number"
"""Attribute of a document: the highest number that a unit ever had."""


@dataclass(frozen=True, slots=True)
class DocumentGraph:
    """What a document becomes.

    Attributes:
        entities: The document, then its units.
        edges: Between them.
    """

    entities: tuple[Entity, ...]
    edges: tuple[Edge, ...]


def document_key(name: str) -> EntityKey:
    """Return the key of a document; those of its units begin with it."""
    return EntityKey(f"document:{name}")


def job_of(document: Document) -> str:
    """Return the job of its records: another one for each version of the document."""
    return f"{JOB}{document.sha256[:12]}"


def document_graph(
    document: Document,
    pictures: Mapping[int, ImageRef],
    numbers: Sequence[int] | None = None,
    *,
    last: int = 0,
) -> DocumentGraph:
    """Return a document as entities and edges.

    Args:
        document: The document.
        pictures: Kept pictures by the place of their figure among the units; one whose picture
            could not be kept has its caption alone.
        numbers: What the keys of its units end with; 1, 2, … if not given.
        last: The highest number that an earlier version used.
    """
    numbers = numbers or range(1, len(document.units) + 1)
    own = document_key(document.name)
    job = job_of(document)
    whole = Provenance(kind="asserted", source=document.name, job=job)
    entities = [
        Entity(
            key=own, label="Document", name=document.title,
            attributes={"units": len(document.units), LAST: max([last, *numbers])},
            provenance=(whole,),
        )
    ]  # fmt: skip
    edges: list[Edge] = []
    for place, unit in enumerate(document.units):
        record = Provenance(
            kind="asserted", source=document.name, locator=document.locator(unit), job=job
        )
        images = (pictures[place],) if place in pictures else ()
        entity = _entity(document, (place, numbers[place]), unit, images, record)
        edges.append(_edge(own, "contains", entity.key, record))
        if place:
            edges.append(_edge(entity.key, "follows", entities[-1].key, record))
        entities.append(entity)
    return DocumentGraph(tuple(entities), tuple(edges))


def _entity(
    document: Document,
    at: tuple[int, int],
    unit: Unit,
    images: tuple[ImageRef, ...],
    record: Provenance,
) -> Entity:
    section = " › ".join(unit.place.section[1:] or unit.place.section)
    kind = type(unit).__name__
    where = f"{document.title}, {section}" if section != document.title else section
    attributes: dict[str, AttributeValue] = {"text": text} if (text := text_of(unit)) else {}
    if isinstance(unit, Table):
        attributes |= {"rows": len(unit.rows), "columns": max(map(len, unit.rows), default=0)}
    return Entity(
        key=EntityKey(f"{document_key(document.name)}#{at[1]}"),
        label=kind,
        name=f"{where.strip(', ')} ({kind.lower()} {at[0] + 1})",
        attributes=attributes,
        images=images,
        provenance=(record,),
    )


def text_of(unit: Unit) -> str:
    """Return the words of a unit: of a table its caption and a line for each row."""
    match unit:
        case Passage(text=text):
            return text
        case Table(rows=rows, caption=caption):
            return "\n".join([*([caption] if caption else []), *(" | ".join(row) for row in rows)])
        case Figure(caption=caption):
            return caption


def _edge(head: EntityKey, relation: str, tail: EntityKey, record: Provenance) -> Edge:
    return Edge(head=head, relation=relation, tail=tail, provenance=(record,))
