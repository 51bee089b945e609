"""Entities by what they are joined to: neighbours of the entities that a query names.

score(e) = sum over the names in the query, and over the entities s with that name that e is a
neighbour of, of 1 / (entities with the name * sqrt(degree of s)): an entity beside two of the named
comes before one beside a single one, and a hub tells little.
"""

from __future__ import annotations

from collections.abc import Collection
from math import sqrt
from threading import Lock
from typing import TYPE_CHECKING

from kg.model import EntityKey
from kg.names import NameIndex

if TYPE_CHECKING:
    from kg.store import Store

__all__ = ["MOST", "Neighbourhood"]

MOST = 1_000_000
"""Entities whose names are kept in memory."""
MAX_SEEDS = 32
"""Entities of one query from which edges are walked."""
MAX_EDGES = 2_000
"""Edges walked from each."""


class Neighbourhood:
    """Finds the neighbours of what a query names, always as the store is now.

    Args:
        store: What is searched.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()
        self._version: int | None = None
        self._names = NameIndex(())
        self._labels: dict[EntityKey, str] = {}
        self._all: frozenset[str] = frozenset()

    def search(
        self, text: str, *, k: int = 10, labels: Collection[str] = ()
    ) -> list[tuple[EntityKey, float]]:
        """Return the best entities, best first; ties in the order of keys."""
        names, label_of = self._current()
        scores: dict[EntityKey, float] = {}
        seen: set[tuple[EntityKey, ...]] = set()
        for spot in names.spots(text):
            if spot.keys in seen or sum(map(len, seen)) + len(spot.keys) > MAX_SEEDS:
                continue
            seen.add(spot.keys)
            for seed in spot.keys:
                edges = self._store.neighbours(seed, direction="both", limit=MAX_EDGES)
                near = {edge.tail if edge.head == seed else edge.head for edge in edges}
                for other in near:
                    score = 1 / (len(spot.keys) * sqrt(len(near)))
                    scores[other] = scores.get(other, 0.0) + score
        kept = (row for row in scores.items() if not labels or label_of.get(row[0]) in labels)
        return sorted(kept, key=lambda row: (-row[1], row[0]))[:k]

    def lacking(self, labels: Collection[str]) -> tuple[list[str], frozenset[str]]:
        """Return those of some labels that no entity of the store has, and all labels there are.

        Of more than `MOST` entities, the labels of the others are missing among those there are.
        """
        _, label_of = self._current()
        absent = [label for label in dict.fromkeys(labels) if label not in self._all]
        whole = len(label_of) < MOST
        return [one for one in absent if whole or not any(self._store.entities(one))], self._all

    def _current(self) -> tuple[NameIndex, dict[EntityKey, str]]:
        with self._lock:
            version = self._store.version
            if self._version != version:
                known = [e for _, e in zip(range(MOST), self._store.entities(), strict=False)]
                whole = [e for e in known if e.part is None]
                self._names = NameIndex((e.key, (e.name, *e.aliases)) for e in whole)
                self._labels = {e.key: e.label for e in known}
                self._all = frozenset(self._labels.values())
                self._version = version
            return self._names, self._labels
