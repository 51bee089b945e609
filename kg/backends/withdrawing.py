"""What a withdrawal takes away, and with it what was derived from that, step after step.

A record that was derived from something that goes is no reason any more (Doyle's truth maintenance
system, 1979). Only rows whose records may name what goes are read: one look for the withdrawal
itself, and one for each step that something rests on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable

from kg.claimed import without_records
from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.provenance import Provenance
from kg.taken import Taken, name_of, reasons
from kg.withdrawal import Withdrawal

__all__ = ["withdrawn"]

FEW = 20
"""Names up to which records are looked for by each; beyond, all that are derived are read."""


def withdrawn(
    what: Withdrawal,
    recorded: Callable[[list[str]], Iterable[Entity | Edge]],
    edges_at: Callable[[Collection[EntityKey]], Iterable[Edge]],
) -> Taken:
    """Return what a withdrawal takes away.

    Args:
        what: The withdrawal.
        recorded: Yields what has a record whose JSON holds one of these pieces; more does no harm.
        edges_at: Yields the edges of entities.
    """
    first = _needle(what)
    if first is None:
        return Taken()
    found = _Found(what)
    found.see(recorded([first]))
    news = found.names | found.grow(edges_at)
    while news:
        found.see(recorded(_needles(news)))
        news = found.grow(edges_at)
    return found.taken()


class _Found:
    """What has been read, and what of it goes.

    Args:
        what: The withdrawal.
    """

    def __init__(self, what: Withdrawal) -> None:
        self._what = what
        self.names = set(what.names)
        self._edges: dict[EdgeKey, Edge] = {}
        self._entities: dict[EntityKey, Entity] = {}
        self._edges_gone: set[EdgeKey] = set()
        self._parts_gone: set[EntityKey] = set()

    def see(self, rows: Iterable[Entity | Edge]) -> None:
        """Keep those of the rows that lose a record."""
        for row in rows:
            if any(map(self._takes, row.provenance)):
                if isinstance(row, Edge):
                    self._edges[row.key] = row
                else:
                    self._entities[row.key] = row

    def grow(self, edges_at: Callable[[Collection[EntityKey]], Iterable[Edge]]) -> set[str]:
        """Add what has no record left, and the edges of parts that go; return their names."""
        parts = {
            key
            for key, row in self._entities.items()
            if row.part is not None and key not in self._parts_gone and self._lost(row)
        }
        lost = [edge for edge in self._edges.values() if self._lost(edge)]
        lost += edges_at(parts) if parts else ()
        new = {edge.key: edge for edge in lost if edge.key not in self._edges_gone}
        self._edges |= new
        self._edges_gone |= new.keys()
        self._parts_gone |= parts
        news = {*map(name_of, new.values()), *parts}
        self.names |= news
        return news

    def taken(self) -> Taken:
        """Return all of it, in the order of keys."""
        edges = [self._edges[key] for key in sorted(self._edges)]
        entities = [self._entities[key] for key in sorted(self._entities)]
        rows: list[Entity | Edge] = [*edges, *entities]
        going = [one for row in rows for one in row.provenance if self._takes(one)]
        return Taken(
            edges_gone=tuple(edge for edge in edges if edge.key in self._edges_gone),
            edges_kept=tuple(
                (edge, without_records(edge, self._takes))
                for edge in edges
                if edge.key not in self._edges_gone
            ),
            entities_gone=tuple(row for row in entities if row.key in self._parts_gone),
            entities_kept=tuple(
                (row, without_records(row, self._takes))
                for row in entities
                if row.key not in self._parts_gone
            ),
            records=len(going),
            derived=sum(not self._is_meant(one) for one in going),
            why=reasons(rows, self._is_meant, self.names | (self._what.derived_from or set())),
        )

    def _is_meant(self, record: Provenance) -> bool:
        """Tell whether a record goes for its own sake, not for what it rests on."""
        return self._what.derived_from is None and self._what.matches(record)

    def _takes(self, record: Provenance) -> bool:
        return self._what.matches(record) or not self.names.isdisjoint(record.derived_from)

    def _lost(self, row: Entity | Edge) -> bool:
        return all(map(self._takes, row.provenance))


def _needle(what: Withdrawal) -> str | None:
    """Return a piece of text that the JSON of every matching record holds."""
    for name in ("job", "source", "model", "kind"):
        value = getattr(what, name)
        if value is not None:
            return json.dumps({name: value}, ensure_ascii=False)[1:-1]
    return _DERIVED if what.derived_from else None


_DERIVED = '"derived_from": ['


def _needles(names: Collection[str]) -> list[str]:
    """Return pieces of which the JSON of every record that was derived from these holds one."""
    if len(names) > FEW:
        return [_DERIVED]
    return [json.dumps(name, ensure_ascii=False) for name in sorted(names)]
