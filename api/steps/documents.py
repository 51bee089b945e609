"""The step that reads documents into the graph, and links what they speak of.

A document is replaced as a whole, in one transaction: a kill leaves the earlier one or the newer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.documents import ENDINGS, Document, Figure, document_graph, read_document
from kg.documents.graph import document_key, text_of
from kg.errors import ImageError, InputError
from kg.image_sources import ImageSources
from kg.model import Edge, Entity, EntityKey, ImageRef
from kg.progress import Progress, silent
from kg.provenance import Provenance

if TYPE_CHECKING:
    from api.engine import Engine
    from kg.store import Store
    from linkers.protocols import MentionLinker

__all__ = ["add_documents", "documents_in"]

RELATION = "mentions"
SHOWN = 20
"""Pictures that could not be kept of which each is told."""


@dataclass(frozen=True, slots=True)
class _Read:
    document: Document
    entities: tuple[Entity, ...]
    edges: tuple[Edge, ...]
    lost: tuple[str, ...]


def documents_in(paths: Sequence[Path]) -> list[Path]:
    """Return the documents that paths name: files, and those anywhere in folders.

    Raises:
        InputError: There is none.
    """
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found += [one for one in inside if not path.is_dir() or one.suffix.lower() in ENDINGS]
    if not found:
        kinds = ", ".join(ENDINGS)
        raise InputError("no document is there", hint=f"name files or folders with {kinds}")
    return list(dict.fromkeys(found))


def add_documents(
    engine: Engine, paths: Sequence[Path], *, link: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Write documents into the engine's store; one that is there unchanged is left as it is.

    Args:
        engine: Whose store and images to fill.
        paths: Files, or folders of them.
        link: Link the mentions of each passage and table by the trained linker, and write an edge
            ``mentions`` for each that is linked.
        progress: Told documents done of all.

    Returns:
        Counts of documents, passages, tables, figures, mentions; how many were unchanged; and what
        pictures could not be kept, and why.

    Raises:
        RecordError: A file is missing, of another kind, or no UTF-8; those before it are written.
        LimitError: A document is too large.
        MissingPartError: `link` is set and no linker was trained.
    """
    from api.steps.fold_in import freeze_growth

    files = documents_in(paths)
    engine.workspace.create()
    linker = _linker(engine) if link else None
    counts: Counter[str] = Counter(dict.fromkeys(_COUNTED, 0))
    lost: list[str] = []
    for number, path in enumerate(files, 1):
        read = _read(engine, path)
        if linker is None and _is_there(engine.store, read):
            counts["unchanged"] += 1
        else:
            mentions = () if linker is None else tuple(_mentions(linker, read))
            _write(engine.store, read, mentions)
            counts["documents"] += 1
            counts["mentions"] += len(mentions)
            counts.update(f"{entity.label.lower()}s" for entity in read.entities[1:])
        lost += read.lost
        progress(number, len(files))
    freeze_growth(engine)
    return {**counts, "lost_pictures": len(lost), "why": lost[:SHOWN]}


_COUNTED = ("documents", "unchanged", "passages", "tables", "figures", "mentions")


def _linker(engine: Engine) -> MentionLinker:
    from api.steps.open_linker import open_linker

    return open_linker(engine)


def _read(engine: Engine, path: Path) -> _Read:
    """Read a document and keep its pictures; one that cannot be kept leaves its caption."""
    document = read_document(path)
    sources = ImageSources(path.parent)
    kept: dict[int, ImageRef] = {}
    lost: list[str] = []
    for place, unit in enumerate(document.units):
        if isinstance(unit, Figure):
            try:
                content = sources.read(unit.picture)
                name = "data URL" if unit.picture.startswith("data:") else unit.picture[:200]
                kept[place] = engine.images.add(content, source=name)
            except ImageError as error:
                lost.append(f"{document.name} {document.locator(unit)}: {error}")
    graph = document_graph(document, kept)
    return _Read(document, graph.entities, graph.edges, tuple(lost))


def _is_there(store: Store, read: _Read) -> bool:
    """Tell whether the store holds the document as it was read."""
    whole = read.entities[0]
    held = store.entity(whole.key)
    return held is not None and held.provenance == whole.provenance


def _write(store: Store, read: _Read, mentions: Sequence[Edge]) -> None:
    own = document_key(read.document.name)
    old = [edge.tail for edge in store.edges(head=own, relation="contains")]
    with store.transaction() as writer:
        writer.delete_entities([*old, own])
        writer.upsert_entities(read.entities)
        writer.upsert_edges([*read.edges, *mentions])


def _mentions(linker: MentionLinker, read: _Read) -> Iterator[Edge]:
    """Yield an edge from each unit to each entity that it names, with a record a mention."""
    from api.steps.link_text import link_by

    document = read.document
    job = f"document-{document.sha256[:12]}"
    for entity, unit in zip(read.entities[1:], document.units, strict=True):
        text = text_of(unit)
        found: dict[EntityKey, list[Provenance]] = {}
        for mention in link_by(linker, text, name=entity.key).mentions if text else ():
            if mention.state == "linked" and mention.entity is not None:
                found.setdefault(EntityKey(mention.entity), []).append(
                    Provenance(
                        kind="linked",
                        source=document.name,
                        locator=f"{document.locator(unit)}, word {mention.start}-{mention.end}",
                        text=mention.context,
                        job=job,
                        probability=mention.probability,
                    )
                )
        for key, records in found.items():
            yield Edge(head=entity.key, relation=RELATION, tail=key, provenance=tuple(records))
