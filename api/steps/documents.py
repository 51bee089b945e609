"""The step that reads documents into the graph, and links what they speak of.

A document is replaced as a whole, in one transaction: a kill leaves the earlier one or the newer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.steps.replaced_document import replacement, unit_numbers
from api.steps.undo import SHOWN, keep_taken
from kg.documents import ENDINGS, Document, Figure, document_graph, read_document
from kg.documents.graph import DocumentGraph, document_key, job_of, text_of
from kg.errors import ImageError, InputError
from kg.image_sources import ImageSources
from kg.model import Edge, EntityKey, ImageRef
from kg.progress import Progress, silent
from kg.provenance import Provenance
from kg.taken import Taken

if TYPE_CHECKING:
    from api.engine import Engine
    from kg.store import Store
    from linkers.protocols import MentionLinker

__all__ = ["add_documents", "documents_in"]

RELATION = "mentions"


@dataclass(frozen=True, slots=True)
class _Read:
    document: Document
    pictures: Mapping[int, ImageRef]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Gone:
    taken: Taken
    kept: Path | None


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
    engine: Engine,
    paths: Sequence[Path],
    *,
    link: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write documents into the engine's store; one that is there unchanged is left as it is.

    Where an earlier version of a document is replaced, what was derived from what is no more goes
    too, and what others wrote at passages that are no more; a file brings it back.

    Args:
        engine: Whose store and images to fill.
        paths: Files, or folders of them.
        link: Link the mentions of each passage and table by the trained linker, and write an edge
            ``mentions`` for each that is linked.
        dry_run: Say only what would be written, and what would go.
        progress: Told documents done of all.

    Returns:
        Counts of documents, passages, tables, figures, mentions; how many were unchanged; what
        pictures could not be kept, and why; how many records of others went with what they rested
        on, what went, and the files that bring it back.

    Raises:
        RecordError: A file is missing, of another kind, or no UTF-8; those before it are written.
        LimitError: A document is too large.
        MissingPartError: `link` is set and no linker was trained, or a dry run has no graph.
    """
    from api.steps.fold_in import freeze_growth

    files = documents_in(paths)
    if dry_run:
        engine.workspace.require()
    else:
        engine.workspace.create()
    linker = _linker(engine) if link else None
    counts: Counter[str] = Counter(dict.fromkeys(_COUNTED, 0))
    lost: list[str] = []
    gone: list[_Gone] = []
    write = _would_write if dry_run else _write
    for number, path in enumerate(files, 1):
        read = _read(engine, path, keep=not dry_run)
        if linker is None and _is_there(engine.store, read.document):
            counts["unchanged"] += 1
        else:
            numbers, last = unit_numbers(engine.store, read.document, read.pictures)
            graph = document_graph(read.document, read.pictures, numbers, last=last)
            mentions = () if linker is None else tuple(_mentions(linker, read.document, graph))
            edges = (*graph.edges, *mentions)
            gone.append(write(engine, read.document, DocumentGraph(graph.entities, edges)))
            counts["documents"] += 1
            counts["mentions"] += len(mentions)
            counts.update(f"{entity.label.lower()}s" for entity in graph.entities[1:])
        lost += read.lost
        progress(number, len(files))
    if not dry_run:
        freeze_growth(engine)
    told = [line for one in gone for line in one.taken.told()]
    return {
        **counts,
        "lost_pictures": len(lost),
        "why": lost[:SHOWN],
        "records_gone": sum(one.taken.records for one in gone),
        "gone": told[:SHOWN],
        "brought_back_by": [str(one.kept) for one in gone if one.kept is not None],
        "written": not dry_run,
    }


_COUNTED = ("documents", "unchanged", "passages", "tables", "figures", "mentions")


def _linker(engine: Engine) -> MentionLinker:
    from api.steps.open_linker import open_linker

    return open_linker(engine)


def _read(engine: Engine, path: Path, *, keep: bool) -> _Read:
    """Read a document and keep its pictures; one that cannot be kept leaves its caption."""
    document = read_document(path)
    sources = ImageSources(path.parent)
    take = engine.images.add if keep else engine.images.check
    kept: dict[int, ImageRef] = {}
    lost: list[str] = []
    for place, unit in enumerate(document.units):
        if isinstance(unit, Figure):
            try:
                content = sources.read(unit.picture)
                name = "data URL" if unit.picture.startswith("data:") else unit.picture[:200]
                kept[place] = take(content, source=name)
            except ImageError as error:
                lost.append(f"{document.name} {document.locator(unit)}: {error}")
    return _Read(document, kept, tuple(lost))


def _is_there(store: Store, document: Document) -> bool:
    """Tell whether the store holds the document as it was read."""
    held = store.entity(document_key(document.name))
    return held is not None and any(one.job == job_of(document) for one in held.provenance)


def _write(engine: Engine, document: Document, graph: DocumentGraph) -> _Gone:
    """Write a document in place of its earlier version, all in one transaction."""
    kept = None
    with engine.store.transaction() as writer:
        old = replacement(engine.store, document, graph)
        if old is None:
            derived = Taken()
        else:
            old.own.apply(writer)
            derived = old.derived(writer)
            if not derived.is_empty:
                kept = keep_taken(derived, document.name, engine.workspace.undone)
            derived.apply(writer)
        writer.upsert_entities(graph.entities)
        writer.upsert_edges(graph.edges)
    return _Gone(derived, kept)


def _would_write(engine: Engine, document: Document, graph: DocumentGraph) -> _Gone:
    """Say what `_write` would take away."""
    old = replacement(engine.store, document, graph)
    return _Gone(Taken() if old is None else old.derived(engine.store), None)


def _mentions(linker: MentionLinker, document: Document, graph: DocumentGraph) -> Iterator[Edge]:
    """Yield an edge from each unit to each entity that it names, with a record a mention."""
    from api.steps.link_text import link_by

    job = job_of(document)
    for entity, unit in zip(graph.entities[1:], document.units, strict=True):
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
