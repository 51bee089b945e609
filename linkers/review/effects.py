"""What each kind of decision does to the graph, as a `Change`; nothing is written here.

accept, other, new: the mention's words become an alias, with a record of who said so. With reject
too, edges that were made from the mention's link are confirmed, moved or taken away. All of it is
derived from what the mention stands in, and goes with that. merge and split are in
`linkers.review.union`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from kg.errors import ConflictError, InputError, UnknownEntityError
from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.provenance import Provenance, merged
from kg.store import Store
from linkers.names import is_phrase, normalised
from linkers.review.change import Change
from linkers.review.model import Case, Request

__all__ = ["JOB", "Draft", "existing", "mention_change", "record_of"]

JOB = "review"
"""Job that the records of decisions name."""

_TEXT = 500  # characters of a sentence that a record keeps
_LONGEST_ALIAS = 200


@dataclass
class Draft:
    """A change in the making: rows as they were when first asked for, and as they are meant to be.

    Attributes:
        store: Where rows are read.
    """

    store: Store
    _entities: dict[EntityKey, list[Entity | None]] = field(default_factory=dict)
    _edges: dict[EdgeKey, list[Edge | None]] = field(default_factory=dict)

    def entity(self, key: EntityKey) -> Entity | None:
        """Return an entity as the draft has it."""
        if key not in self._entities:
            row = self.store.entity(key)
            self._entities[key] = [row, row]
        return self._entities[key][1]

    def put(self, row: Entity) -> None:
        """Make an entity so."""
        self.entity(row.key)
        self._entities[row.key][1] = row

    def drop(self, key: EntityKey) -> None:
        """Delete an entity; its edges are the caller's."""
        self.entity(key)
        self._entities[key][1] = None

    def edge(self, key: EdgeKey) -> Edge | None:
        """Return an edge as the draft has it."""
        if key not in self._edges:
            head, relation, tail = key
            row = next(self.store.edges(head=head, relation=relation, tail=tail), None)
            self._edges[key] = [row, row]
        return self._edges[key][1]

    def seen(self, row: Edge) -> Edge:
        """Take an edge that was just read from the store; return it as the draft has it."""
        return self._edges.setdefault(row.key, [row, row])[1] or row

    def put_edge(self, row: Edge) -> None:
        """Make an edge so; one without a record is deleted."""
        self.edge(row.key)
        self._edges[row.key][1] = row if row.provenance else None

    def change(self) -> Change:
        """Return what differs."""
        return Change(
            entities=tuple((a, b) for a, b in self._entities.values() if a != b),
            edges=tuple((a, b) for a, b in self._edges.values() if a != b),
        )


def existing(draft: Draft, key: EntityKey) -> Entity:
    """Return an entity of the draft.

    Raises:
        UnknownEntityError: There is none.
    """
    row = draft.entity(key)
    if row is None:
        raise UnknownEntityError(key)
    return row


def record_of(request: Request, at: str, *, locator: str, text: str | None = None) -> Provenance:
    """Return the record of what a person said."""
    return Provenance(
        kind="accepted", source=request.who, locator=locator, text=text, job=JOB, at=at
    )


def mention_change(store: Store, request: Request, case: Case, at: str) -> Change:
    """Return what accepting, rejecting, correcting or adding does.

    Raises:
        UnknownEntityError: The entity that is named is not there.
        ConflictError: The entity that is to be made is there already.
        InputError: The new entity has no label.
    """
    draft = Draft(store)
    meant: EntityKey | None = None
    if request.kind == "new":
        meant = _made(draft, request, case, at)
    elif request.kind in ("accept", "other"):
        meant = existing(draft, request.entity or EntityKey("")).key
    if meant is not None:
        _alias(draft, meant, request, case, at)
    if case.mention is not None:
        _edges(draft, meant, request, case, at)
    return draft.change()


def _made(draft: Draft, request: Request, case: Case, at: str) -> EntityKey:
    key = request.key or EntityKey("")
    if draft.entity(key) is not None:
        raise ConflictError("this entity is there already", where=key, hint="name it by 'other'")
    label = request.label or next(
        (row.label for c in case.candidates if (row := draft.store.entity(c.entity))), None
    )
    if label is None:
        raise InputError("a new entity needs a label", where=key, hint="name its class")
    made = _record(request, case, at, locator=_locator(case))
    draft.put(Entity(key=key, label=label, name=request.name or key, provenance=(made,)))
    return key


def _alias(draft: Draft, key: EntityKey, request: Request, case: Case, at: str) -> None:
    """Add the mention's words to the names of an entity, where they are a name and a new one."""
    entity = existing(draft, key)
    surface = "" if case.mention is None else " ".join(case.mention.surface.split())
    known = {normalised(name) for name in (entity.name, *entity.aliases)}
    usable = surface and len(surface) <= _LONGEST_ALIAS and not is_phrase(surface)
    if not usable or normalised(surface) in known:
        return
    said = _record(request, case, at, locator=f"alias {surface}")
    draft.put(
        replace(
            entity,
            aliases=(*entity.aliases, surface),
            provenance=merged(entity.provenance, (said,)),
        )
    )


def _edges(draft: Draft, meant: EntityKey | None, request: Request, case: Case, at: str) -> None:
    """Confirm, move or take away the edges that were made from the mention's link."""
    proposed = case.entity
    if proposed is None or case.mention is None:
        return
    said = _record(request, case, at, locator=_locator(case))
    for edge in map(draft.seen, list(draft.store.edges(tail=proposed))):
        own = [record for record in edge.provenance if _is_of(record, case)]
        if not own:
            continue
        base = {one.source for one in own}.union(*(one.derived_from for one in own))
        said = replace(said, derived_from=tuple(base))
        if meant == proposed:
            draft.put_edge(replace(edge, provenance=merged(edge.provenance, (said,))))
            continue
        rest = tuple(record for record in edge.provenance if record not in own)
        draft.put_edge(replace(edge, provenance=rest))
        if meant is None or meant == edge.head:
            continue
        moved = draft.edge((edge.head, edge.relation, meant))
        records = () if moved is None else moved.provenance
        draft.put_edge(replace(edge, tail=meant, provenance=merged(records, (said,))))


def _record(request: Request, case: Case, at: str, *, locator: str) -> Provenance:
    """Return the record of what a person said of a mention: it goes with the mention's file."""
    said = record_of(request, at, locator=locator, text=_sentence(case))
    return replace(said, derived_from=(case.source,) if case.source else ())


def _is_of(record: Provenance, case: Case) -> bool:
    """Tell whether a record was made from a case's link (`api.steps.edges_from_links`)."""
    return (
        record.kind == "linked"
        and record.locator == _locator(case)
        and (not case.source or record.source == case.source)
    )


def _locator(case: Case) -> str:
    return f"mention {case.mention.id if case.mention is not None else case.id}"


def _sentence(case: Case) -> str | None:
    return None if case.mention is None else case.mention.context[:_TEXT] or None
