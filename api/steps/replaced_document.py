"""What goes with the earlier version of a document, and what stays of it.

Passages, tables and figures that say the same keep their keys, wherever they stand now, and what
others wrote of them stays. The others go, their keys are never given again,
and with them the edges at them, and what was derived from either. What was derived from the
document itself goes too, unless its words still stand in it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from kg.claimed import without_records
from kg.documents.graph import JOB, LAST, DocumentGraph, document_key, job_of, text_of
from kg.model import EntityKey
from kg.taken import Taken, name_of
from kg.withdrawal import Withdrawal

if TYPE_CHECKING:
    from kg.documents import Document
    from kg.model import Edge, EdgeKey, Entity, ImageRef
    from kg.provenance import Provenance
    from kg.store import Store, Writer

__all__ = ["Replacement", "replacement", "unit_numbers"]


@dataclass(frozen=True, slots=True)
class _Outdated(Withdrawal):
    """Records that rest on an earlier version: on its name only if their words are gone."""

    name: str
    text: str

    def matches(self, record: Provenance) -> bool:
        """Tell whether a record is to be taken away."""
        bases = self.derived_from or frozenset()
        rests = bases.intersection(record.derived_from)
        if rests == {self.name} and record.text:
            return _plain(record.text) not in self.text
        return bool(rests)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What becomes of the earlier version of a document.

    Attributes:
        own: Takes away its own records, and the units that are no more.
        outdated: Takes away what was derived from it, once `own` is gone.
        foreign: What others wrote at units that go.
    """

    own: Taken
    outdated: Withdrawal | None
    foreign: Taken

    def derived(self, writer: Writer) -> Taken:
        """Say what others wrote at units that go, and what was derived from what goes."""
        if self.outdated is None:
            return self.foreign
        found = writer.withdrawn(self.outdated)
        known = {edge.key for edge in found.edges_gone}
        edges = [edge for edge in self.foreign.edges_gone if edge.key not in known]
        more = sum(len(edge.provenance) for edge in edges)
        return replace(
            found,
            edges_gone=(*edges, *found.edges_gone),
            records=found.records + more,
            derived=found.derived + more,
            why={**found.why, **self.foreign.why},
        )


def unit_numbers(
    store: Store, document: Document, pictures: Mapping[int, ImageRef]
) -> tuple[list[int], int]:
    """Return what the keys of a document's units end with, and the highest number used before.

    A unit that says and shows what one of the earlier version does has its number, the others have
    new ones.

    Args:
        store: The graph.
        document: As it is now.
        pictures: Kept pictures by the place of their figure among the units.
    """
    whole = document_key(document.name)
    before = _units(store, whole)
    held = before.pop(whole, None)
    numbers = sorted(int(key.removeprefix(f"{whole}#")) for key in before)
    last = max([0 if held is None else _whole_number(held.attributes.get(LAST)), *numbers, 0])
    free: dict[tuple[str, str, str], deque[int]] = {}
    for number in numbers:
        free.setdefault(_said(before[EntityKey(f"{whole}#{number}")]), deque()).append(number)
    fresh = count(last + 1)
    found = []
    for place, unit in enumerate(document.units):
        shown = pictures[place].sha256 if place in pictures else ""
        same = free.get((type(unit).__name__, text_of(unit), shown))
        found.append(same.popleft() if same else next(fresh))
    return found, last


def _whole_number(value: object) -> int:
    return value if isinstance(value, int) else 0


def replacement(store: Store, document: Document, graph: DocumentGraph) -> Replacement | None:
    """Say what goes when a document is written anew; None if the store holds no earlier version.

    Args:
        store: The graph; the document, its units and the edges at them are read.
        document: As it is now.
        graph: It and its units, and the edges between them and to what they mention.
    """
    whole = document_key(document.name)
    before = _units(store, whole)
    if not before:
        return None
    after = {row.key: row for row in graph.entities}
    stale = {key for key, row in before.items() if not _says_the_same(row, after.get(key))}
    at = {edge.key: edge for key in before for edge in _edges_at(store, key)}
    lost = {key for key in at if not stale.isdisjoint((key[0], key[2]))}
    rest = {key: without_records(edge, _is_own(document.name)) for key, edge in at.items()}
    gone = lost | {key for key, edge in rest.items() if not edge.provenance}
    names = {*stale, *(" ".join(key) for key in gone - {edge.key for edge in graph.edges})}
    if not any(one.job == job_of(document) for one in before[whole].provenance):
        names.add(document.name)
    return Replacement(
        own=Taken(
            edges_gone=tuple(at[key] for key in sorted(gone)),
            edges_kept=tuple(
                (at[key], rest[key]) for key in sorted(at.keys() - gone) if at[key] != rest[key]
            ),
            entities_gone=tuple(before[key] for key in sorted(stale)),
            entities_kept=tuple(
                (row, without_records(row, _is_own(document.name)))
                for key, row in sorted(before.items())
                if key not in stale
            ),
        ),
        outdated=_outdated(document, frozenset(names)),
        foreign=_foreign(rest, lost, stale),
    )


def _outdated(document: Document, names: frozenset[str]) -> Withdrawal | None:
    words = _plain(" ".join([document.text, *map(text_of, document.units)]))
    return _Outdated(document.name, words, derived_from=names) if names else None


def _foreign(
    rest: Mapping[EdgeKey, Edge],
    lost: set[EdgeKey],
    stale: set[EntityKey],
) -> Taken:
    edges = [rest[key] for key in sorted(lost) if rest[key].provenance]
    why = {name_of(edge): edge.head if edge.head in stale else edge.tail for edge in edges}
    records = sum(len(edge.provenance) for edge in edges)
    return Taken(edges_gone=tuple(edges), records=records, derived=records, why=why)


def _units(store: Store, whole: EntityKey) -> dict[EntityKey, Entity]:
    """Return a document and its units, as the store holds them."""
    tails = (edge.tail for edge in store.edges(head=whole, relation="contains"))
    own = f"{whole}#"
    keys = [whole, *(key for key in tails if key.startswith(own) and key[len(own) :].isdecimal())]
    found = map(store.entity, keys)
    return {row.key: row for row in found if row is not None}


def _edges_at(store: Store, key: EntityKey) -> list[Edge]:
    return [*store.edges(head=key), *store.edges(tail=key)]


def _says_the_same(old: Entity, new: Entity | None) -> bool:
    if new is None or old.label != new.label:
        return False
    return new.label == "Document" or _said(old) == _said(new)


def _said(row: Entity) -> tuple[str, str, str]:
    shown = row.images[0].sha256 if row.images else ""
    return row.label, str(row.attributes.get("text", "")), shown


def _is_own(name: str) -> Callable[[Provenance], bool]:
    return lambda one: one.source == name and (one.job or "").startswith(JOB)


def _plain(text: str) -> str:
    return " ".join(text.split())
