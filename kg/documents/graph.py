"""A document as entities and edges: the dual view, text beside tables beside pictures.

The document ``contains`` its units, each ``follows`` the one before it. Every record names the
document and the span, so that an answer can cite it and the document can be taken back whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kg.documents.reading import Document
from kg.documents.units import Figure, Passage, Table, Unit
from kg.model import AttributeValue, Edge, Entity, EntityKey, ImageRef
from kg.provenance import Provenance

__all__ = ["DocumentGraph", "document_graph", "document_key", "text_of"]


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


def document_graph(document: Document, pictures: Mapping[int, ImageRef]) -> DocumentGraph:
    """Return a document as entities and edges.

    Args:
        document: The document.
        pictures: Kept pictures by the place of their figure among the units; one whose picture
            could not be kept has its caption alone.
    """
    own = document_key(document.name)
    job = f"document-{document.sha256[:12]}"
    whole = Provenance(kind="asserted", source=document.name, job=job)
    entities = [
        Entity(
            key=own, label="Document", name=document.title,
            attributes={"units": len(document.units)}, provenance=(whole,),
        )
    ]  # fmt: skip
    edges: list[Edge] = []
    for place, unit in enumerate(document.units):
        record = Provenance(
            kind="asserted", source=document.name, locator=document.locator(unit), job=job
        )
        images = (pictures[place],) if place in pictures else ()
        entity = _entity(document, place, unit, images, record)
        edges.append(_edge(own, "contains", entity.key, record))
        if place:
            edges.append(_edge(entity.key, "follows", entities[-1].key, record))
        entities.append(entity)
    return DocumentGraph(tuple(entities), tuple(edges))


def _entity(
    document: Document, place: int, unit: Unit, images: tuple[ImageRef, ...], record: Provenance
) -> Entity:
    section = " › ".join(unit.place.section[1:] or unit.place.section)
    kind = type(unit).__name__
    where = f"{document.title}, {section}" if section != document.title else section
    attributes: dict[str, AttributeValue] = {"text": text} if (text := text_of(unit)) else {}
    if isinstance(unit, Table):
        attributes |= {"rows": len(unit.rows), "columns": max(map(len, unit.rows), default=0)}
    return Entity(
        key=EntityKey(f"{document_key(document.name)}#{place + 1}"),
        label=kind,
        name=f"{where.strip(', ')} ({kind.lower()} {place + 1})",
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
