"""Taking back what came from a source, a job or an edge, and all that was derived from it.

A record that names what is taken back goes; so does one that was derived from something that goes.
An edge without a record is gone. A part of an image goes with its last record or with its entity.
Any other entity that loses its last record goes too, unless an edge of somebody else still needs
it. What stays loses the values that only what goes has written, and has again those that they were
written over (`kg.claimed`).

Source of the idea: justifications of a truth maintenance system (Doyle 1979), where a belief goes
when its last justification does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kg.claimed import without_records
from kg.claims import NOBODY
from kg.errors import InputError
from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.provenance import Provenance
from kg.store import Store
from kg.taken import Taken, name_of, reasons

__all__ = ["Undo", "UndoPlan", "plan_undo", "undo"]


_NONE: frozenset[EntityKey] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """What to take back: exactly one of the three.

    Attributes:
        source: A file, document, image hash or person, as records name it.
        job: Id of a job.
        edge: Head, relation and tail of an edge.

    Raises:
        InputError: None is named, or several.

    Example:
        >>> Undo(job="link-1f3a").names
        ('link-1f3a',)
    """

    source: str | None = None
    job: str | None = None
    edge: EdgeKey | None = None

    def __post_init__(self) -> None:
        """Check that one thing is named."""
        named = [value for value in (self.source, self.job, self.edge) if value]
        if len(named) != 1:
            raise InputError(
                f"an undo takes back one thing, not {len(named)}", hint="name a source or a job"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """What records call it that were derived from it."""
        edge = None if self.edge is None else " ".join(self.edge)
        return tuple(name for name in (self.source, self.job, edge) if name)

    def matches(self, record: Provenance) -> bool:
        """Tell whether a record comes from it."""
        if self.source is not None:
            return record.source == self.source
        return self.job is not None and record.job == self.job


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoPlan(Taken):
    """What an undo takes away, in the order of keys.

    Attributes:
        what: What is taken back.
    """

    what: Undo


def plan_undo(store: Store, what: Undo) -> UndoPlan:
    """Say what an undo would take away; nothing is changed.

    Args:
        store: The graph; all of it is read.
        what: What is to be taken back.

    Example:
        >>> from kg.backends.memory import MemoryStore
        >>> plan_undo(MemoryStore(), Undo(source="a.csv")).is_empty
        True
    """
    entities = {row.key: row for row in store.entities()}
    edges = {edge.key: edge for edge in store.edges()}
    gone = _Gone(what, entities, edges)
    while gone.grows():
        pass
    kept_edges = tuple(
        (edge, without_records(edge, gone.takes))
        for key, edge in edges.items()
        if key not in gone.edges and any(map(gone.takes, edge.provenance))
    )
    kept_rows = tuple(
        (row, without_records(row, gone.takes))
        for key, row in entities.items()
        if key not in gone.entities and any(map(gone.takes, row.provenance))
    )
    going = [
        record
        for edge in edges.values()
        for record in edge.provenance
        if edge.key in gone.edges or gone.takes(record)
    ]
    going += [
        record
        for row in entities.values()
        for record in row.provenance
        if row.key in gone.entities or gone.takes(record)
    ]
    edges_gone = tuple(edge for key, edge in edges.items() if key in gone.edges)
    rows_gone = tuple(row for key, row in entities.items() if key in gone.entities)
    losing: list[Edge | Entity] = [*edges_gone, *rows_gone]
    losing += [edge for edge, _ in kept_edges]
    losing += [row for row, _ in kept_rows]
    return UndoPlan(
        what=what,
        edges_gone=edges_gone,
        edges_kept=kept_edges,
        entities_gone=rows_gone,
        entities_kept=kept_rows,
        records=len(going),
        derived=sum(not what.matches(record) for record in going),
        why=reasons(losing, what.matches, gone.names),
    )


def undo(
    store: Store, what: Undo, *, before: Callable[[UndoPlan], None] = lambda _: None
) -> UndoPlan:
    """Take back, all in one transaction, and return what went; other writers wait meanwhile.

    Args:
        store: The graph.
        what: What is taken back.
        before: Told what goes before anything does; an error of it leaves everything as it is.

    Raises:
        StoreError: The store failed; nothing is taken back.
    """
    with store.transaction() as writer:
        plan = plan_undo(store, what)
        before(plan)
        plan.apply(writer)
    return plan


class _Gone:
    """What goes; it grows until nothing more follows.

    Args:
        what: What is taken back.
        entities: All entities.
        edges: All edges.
    """

    def __init__(
        self, what: Undo, entities: dict[EntityKey, Entity], edges: dict[EdgeKey, Edge]
    ) -> None:
        self._what, self._entities, self._edges = what, entities, edges
        self.names = set(what.names)
        self._parts: dict[EntityKey, frozenset[EntityKey]] = {}
        for row in entities.values():
            if row.part is not None:
                parent = row.part.parent
                self._parts[parent] = self._parts.get(parent, _NONE) | {row.key}
        self.entities: set[EntityKey] = set()
        self.edges: set[EdgeKey] = {what.edge} & edges.keys() if what.edge is not None else set()

    def takes(self, record: Provenance) -> bool:
        """Tell whether a record goes."""
        return self._what.matches(record) or not self.names.isdisjoint(record.derived_from)

    def left(self, records: Iterable[Provenance]) -> tuple[Provenance, ...]:
        """Return the records that stay."""
        return tuple(record for record in records if not self.takes(record))

    def grows(self) -> bool:
        """Add what follows from what goes already; False if nothing does."""
        before = len(self.entities) + len(self.edges)
        for edge in self._edges.values():
            if edge.key not in self.edges and (self._lost(edge) or not self._ends_stay(edge)):
                self.edges.add(edge.key)
                self.names.add(name_of(edge))
        bare = {
            key
            for key, row in self._entities.items()
            if key not in self.entities and self._lost(row)
        }
        for key in bare - self._needed(bare):
            going = {key, *self._parts.get(key, _NONE)}
            self.entities |= going
            self.names |= going
        return len(self.entities) + len(self.edges) > before

    def _lost(self, fact: Entity | Edge) -> bool:
        """Tell whether a fact had records and has none left, and nobody else has named it."""
        nobody = any(NOBODY in claim.by for claim in fact.claims.get(".name", ()))
        return bool(fact.provenance) and not self.left(fact.provenance) and not nobody

    def _ends_stay(self, edge: Edge) -> bool:
        return edge.head not in self.entities and edge.tail not in self.entities

    def _needed(self, bare: set[EntityKey]) -> set[EntityKey]:
        """Return the entities without a record that stay for an edge that is nobody's own here.

        A part needs no edge to be kept for it, and edges to an entity's own parts do not count.
        """
        needed = set()
        for edge in self._edges.values():
            if edge.key in self.edges:
                continue
            for end, other in ((edge.head, edge.tail), (edge.tail, edge.head)):
                row = self._entities.get(end)
                own = other == end or other in self._parts.get(end, _NONE)
                if end in bare and row is not None and row.part is None and not own:
                    needed.add(end)
        return needed
