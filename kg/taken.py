"""What a withdrawal or an undo takes from a graph: what goes, what stays with less, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kg.claimed import taken, values_of
from kg.model import Edge, Entity
from kg.provenance import Provenance

if TYPE_CHECKING:
    from kg.store import Writer

__all__ = ["Taken", "name_of", "reasons"]

Row = Entity | Edge


def name_of(row: Row) -> str:
    """Return what records that were derived from an entity or an edge call it.

    Example:
        >>> from kg.model import EntityKey
        >>> name_of(Edge(head=EntityKey("a"), relation="knows", tail=EntityKey("b")))
        'a knows b'
    """
    return row.key if isinstance(row, Entity) else " ".join(row.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is taken away, in the order of keys.

    Attributes:
        edges_gone: Edges that have no record left, or lose an end.
        edges_kept: Edges that lose records and keep others: as they are now, and as they will be.
        entities_gone: Entities and parts that go.
        entities_kept: Entities that lose records and stay, likewise.
        records: Records that go.
        derived: How many of them come from elsewhere and were only derived from what goes.
        why: What something rested on that goes only for that, by its name.
    """

    edges_gone: tuple[Edge, ...] = ()
    edges_kept: tuple[tuple[Edge, Edge], ...] = ()
    entities_gone: tuple[Entity, ...] = ()
    entities_kept: tuple[tuple[Entity, Entity], ...] = ()
    records: int = 0
    derived: int = 0
    why: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing would change."""
        return not (self.edges_gone or self.edges_kept or self.entities_gone or self.entities_kept)

    def apply(self, writer: Writer) -> None:
        """Take it away; whoever has planned it keeps other writers out until then."""
        writer.replace_edges(new for _, new in self.edges_kept)
        writer.replace_entities(new for _, new in self.entities_kept)
        writer.delete_edges(edge.key for edge in self.edges_gone)
        writer.delete_entities(row.key for row in self.entities_gone)

    def told(self) -> Iterator[str]:
        """Iterate the names of what goes, each with what it rested on if only for that."""
        rows: list[Row] = [*self.edges_gone, *self.entities_gone]
        for row in rows:
            name = name_of(row)
            why = self.why.get(name)
            yield name if why is None else f"{name} (rested on {why})"

    def values(self) -> Iterator[tuple[str, str, Any, Any]]:
        """Iterate values that change in what stays: of what, name, then, and now or None."""
        pairs: list[tuple[Row, Row]] = [*self.entities_kept, *self.edges_kept]
        for old, new in pairs:
            before, after = values_of(old), values_of(new)
            for name in sorted(before):
                if new.claims.get(name) == ():
                    after.pop(name)  # nobody has named it: it is called by its key
                if before[name] != after.get(name):
                    yield name_of(old), name, before[name], after.get(name)

    def entities(self) -> Iterator[Entity]:
        """Iterate the entities with the records that go: upserting them brings them back."""
        yield from self.entities_gone
        for old, new in self.entities_kept:
            yield taken(old, _not_in(new.provenance))

    def edges(self) -> Iterator[Edge]:
        """Iterate the edges with the records that go: upserting them brings them back."""
        yield from self.edges_gone
        for old, new in self.edges_kept:
            yield taken(old, _not_in(new.provenance))


def reasons(
    rows: Iterable[Row], matches: Callable[[Provenance], bool], names: Collection[str]
) -> dict[str, str]:
    """Return what rows rested on that lose records only since those were derived from it.

    Args:
        rows: What goes or loses records.
        matches: Tells whether a record is taken away for its own sake.
        names: What goes, as records name it.
    """
    found = {}
    for row in rows:
        if not any(map(matches, row.provenance)):
            bases = (name for one in row.provenance for name in one.derived_from if name in names)
            ends = () if isinstance(row, Entity) else (row.head, row.tail)
            why = next(bases, None) or next((end for end in ends if end in names), None)
            parent = row.part.parent if isinstance(row, Entity) and row.part else None
            why = why or (parent if parent in names else None)
            if why is not None:
                found[name_of(row)] = why
    return found


def _not_in(left: tuple[Provenance, ...]) -> Callable[[Provenance], bool]:
    return lambda record: record not in left
