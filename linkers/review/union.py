"""Merging entities into one, and splitting one into two, as a `Change`; nothing is written here."""

from __future__ import annotations

from dataclasses import replace

from kg.errors import ConflictError, InputError, LimitError
from kg.model import Edge, Entity, EntityKey
from kg.provenance import merged
from kg.store import Store
from linkers.names import normalised
from linkers.review.change import Change
from linkers.review.effects import Draft, existing, record_of
from linkers.review.model import Request

__all__ = ["MAX_EDGES", "merge_change", "split_change"]

MAX_EDGES = 10_000
"""Edges that one decision may move; they are kept in the log to be undone."""


def merge_change(store: Store, request: Request, at: str) -> Change:
    """Return what makes several entities one.

    The one that stays takes their names as aliases, the attributes that it lacks, their images and
    parts, records and edges; an edge between them would lead to itself and goes.

    Raises:
        UnknownEntityError: One of them is not there.
        ConflictError: Their labels differ.
        InputError: An entity is merged into itself.
        LimitError: They have too many edges.
    """
    draft = Draft(store)
    target = existing(draft, request.entity or EntityKey(""))
    gone = list(dict.fromkeys(request.keys))
    if target.key in gone:
        raise InputError("an entity cannot be merged into itself", where=target.key)
    for key in gone:
        source = existing(draft, key)
        if source.label != target.label:
            raise ConflictError(
                f"a {source.label} and a {target.label} are not merged", where=source.key
            )
        if (source.part is None) != (target.part is None):
            raise ConflictError("a part of an image is not merged with a thing", where=key)
        target = _joined(target, source)
    said = record_of(request, at, locator=f"merge {', '.join(gone)}"[:500])
    draft.put(replace(target, provenance=merged(target.provenance, (said,))))
    inside = {target.key, *gone}
    moved = 0
    for key in gone:
        for edge in [*store.edges(head=key), *store.edges(tail=key)]:
            moved += 1
            if moved > MAX_EDGES:
                raise LimitError(f"more than {MAX_EDGES:,} edges would move", where=key)
            draft.seen(edge)
            _take_part(draft, edge, key, target.key)
            draft.put_edge(replace(edge, provenance=()))
            if edge.head in inside and edge.tail in inside:
                continue
            _put_moved(draft, _renamed(edge, inside, target.key))
        draft.drop(key)
    return draft.change()


def _joined(target: Entity, source: Entity) -> Entity:
    names = dict.fromkeys((*target.aliases, source.name, *source.aliases))
    return replace(
        target,
        aliases=tuple(name for name in names if name != target.name),
        attributes={**source.attributes, **target.attributes},
        images=tuple(dict.fromkeys((*target.images, *source.images))),
        provenance=merged(target.provenance, source.provenance),
    )


def _renamed(edge: Edge, inside: set[EntityKey], key: EntityKey) -> Edge:
    head = key if edge.head in inside else edge.head
    tail = key if edge.tail in inside else edge.tail
    return replace(edge, head=head, tail=tail)


def _put_moved(draft: Draft, edge: Edge) -> None:
    """Put an edge where it belongs now; with one that is there already it becomes one."""
    there = draft.edge(edge.key)
    if there is not None:
        edge = replace(
            edge,
            attributes={**edge.attributes, **there.attributes},
            provenance=merged(there.provenance, edge.provenance),
        )
    draft.put_edge(edge)


def _take_part(draft: Draft, edge: Edge, parent: EntityKey, key: EntityKey) -> None:
    """Let a part of an entity that goes be a part of the one that stays."""
    part = draft.entity(edge.tail)
    if part is not None and part.part is not None and part.part.parent == parent:
        draft.put(replace(part, part=replace(part.part, parent=key)))


def split_change(store: Store, request: Request, at: str) -> Change:
    """Return what makes two entities of one: a new one takes some names and edges.

    Raises:
        UnknownEntityError: The entity is not there.
        ConflictError: The new key is taken.
        InputError: It has no such name or edge.
    """
    draft = Draft(store)
    old = existing(draft, request.entity or EntityKey(""))
    key = request.key or EntityKey("")
    if draft.entity(key) is not None:
        raise ConflictError("this entity is there already", where=key, hint="take another key")
    wanted = {normalised(name) for name in (*request.aliases, request.name or "")}
    missing = {normalised(name) for name in request.aliases} - {
        normalised(name) for name in (old.name, *old.aliases)
    }
    if missing:
        raise InputError(f"it has no name {min(missing)!r} to give away", where=old.key)
    said = record_of(request, at, locator=f"split {old.key}")
    draft.put(
        Entity(
            key=key,
            label=old.label,
            name=request.name or key,
            aliases=tuple(name for name in request.aliases if name != request.name),
            provenance=(said,),
        )
    )
    kept = tuple(name for name in old.aliases if normalised(name) not in wanted)
    draft.put(replace(old, aliases=kept))
    for edge_key in dict.fromkeys(request.edges):
        edge = draft.edge(edge_key)
        if edge is None or old.key not in (edge.head, edge.tail):
            raise InputError("it has no such edge to give away", where=" ".join(edge_key))
        draft.put_edge(replace(edge, provenance=()))
        _take_part(draft, edge, old.key, key)
        _put_moved(draft, _renamed(edge, {old.key}, key))
    return draft.change()
