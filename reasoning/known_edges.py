"""The edges of a snapshot that count as known, relation by relation, as sorted arrays.

An edge is known from a probability on (0.9 by default). Edits of a call are laid over the graph
here, so that nothing else needs to know of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kg.errors import SettingError
from kg.model import EdgeKey, EntityKey
from kg.provenance import KNOWN_PROBABILITY
from kg.snapshot import Snapshot
from reasoning.protocols import Edits

__all__ = ["Ids", "KnownEdges", "Row", "consecutive", "contains", "known_edges", "unique_ids"]

Ids = NDArray[np.int32]
"""Entity ids, ascending, each once."""

_DENSE_SHARE = 16
"""Sort by a bitmap instead of a comparison sort above num_entities / 16 values."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """The known edges of one relation in one direction.

    Attributes:
        starts: ``(n,)`` where an edge is entered: its head, or its tail if inverse; ascending.
        ends: ``(n,)`` where it leads to; ascending within equal starts.
        probabilities: ``(n,)`` float32.
    """

    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    probabilities: NDArray[np.float32]

    def spans(self, ids: Ids) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the edges that leave each of `ids` begin in this row, and how many."""
        low = self.starts.searchsorted(ids, side="left")
        return low, self.starts.searchsorted(ids, side="right") - low

    def positions(self, ids: Ids) -> NDArray[np.int64]:
        """Return where the edges that start at any of `ids` stand in this row, ascending."""
        return consecutive(*self.spans(ids))

    def has(self, start: int, end: int) -> bool:
        """Tell whether an edge is in this row."""
        low, high = np.searchsorted(self.starts, [start, start + 1])
        place = low + int(np.searchsorted(self.ends[low:high], end))
        return bool(place < high and self.ends[place] == end)


@dataclass(frozen=True, kw_only=True, eq=False)
class KnownEdges:
    """The known edges of a snapshot, with the edits of one call laid over them. Lazy and cached.

    Make it with `known_edges`.

    Attributes:
        snapshot: Where vocabularies, labels and attributes come from.
        known_probability: Edges of at least this probability are known.
        added: ``(n, 2)`` head and tail ids by relation id; probability 1.
        removed: The same for edges taken away.
    """

    snapshot: Snapshot
    known_probability: float
    added: dict[int, NDArray[np.int32]] = field(default_factory=dict)
    removed: dict[int, NDArray[np.int32]] = field(default_factory=dict)
    _rows: dict[tuple[int, bool], Row] = field(default_factory=dict, repr=False)

    def row(self, relation: int, *, inverse: bool = False) -> Row:
        """Return the known edges of a relation.

        Args:
            relation: Relation id.
            inverse: Start at the tails.
        """
        found = self._rows.get((relation, inverse))
        if found is None:
            found = self._inverted(relation) if inverse else self._built(relation)
            self._rows[relation, inverse] = found
        return found

    def _built(self, relation: int) -> Row:
        span = self.snapshot.edges_of(relation)
        probabilities = np.asarray(self.snapshot.probabilities[span])
        keep = probabilities >= float(self.known_probability)
        heads, tails = self.snapshot.heads[span][keep], self.snapshot.tails[span][keep]
        row = Row(heads, tails, probabilities[keep])
        if relation not in self.added and relation not in self.removed:
            return row
        return self._edited(row, relation)

    def _edited(self, row: Row, relation: int) -> Row:
        nothing = np.empty((0, 2), dtype=np.int32)
        added, removed = self.added.get(relation, nothing), self.removed.get(relation, nothing)
        codes = self._codes(row.starts, row.ends)
        new, gone = self._codes(*added.T), self._codes(*removed.T)
        keep = ~np.isin(codes, np.concatenate([new, gone]))
        heads = np.concatenate([row.starts[keep], added[:, 0]])
        tails = np.concatenate([row.ends[keep], added[:, 1]])
        ones = np.ones(len(added), dtype=np.float32)
        return _sorted_row(heads, tails, np.concatenate([row.probabilities[keep], ones]))

    def _codes(self, heads: NDArray[np.int32], tails: NDArray[np.int32]) -> NDArray[np.int64]:
        return heads.astype(np.int64) * self.snapshot.num_entities + tails

    def _inverted(self, relation: int) -> Row:
        row = self.row(relation)
        return _sorted_row(row.ends, row.starts, row.probabilities)

    def reached(self, relation: int, ids: Ids, *, inverse: bool = False) -> Ids:
        """Return the entities that known edges of a relation reach from any of `ids`.

        Args:
            relation: Relation id.
            ids: Ascending entity ids.
            inverse: Go from tails to heads.
        """
        row = self.row(relation, inverse=inverse)
        return unique_ids(row.ends[row.positions(ids)], self.snapshot.num_entities)

    def has(self, head: int, relation: int, tail: int) -> bool:
        """Tell whether an edge is known."""
        return self.row(relation).has(head, tail)

    def known_candidates(
        self, candidates: Sequence[tuple[EntityKey, float]]
    ) -> tuple[Ids, NDArray[np.float64]]:
        """Return the candidates of a soft anchor that count as known, and their memberships.

        Raises:
            UnknownEntityError: A candidate, known or not, is not in the snapshot.
        """
        found = sorted((self.snapshot.entity_id(key), value) for key, value in candidates)
        kept = [pair for pair in found if pair[1] >= self.known_probability]
        ids = np.array([entity for entity, _ in kept], dtype=np.int32)
        return ids, np.array([value for _, value in kept], dtype=np.float64)

    def with_edits(self, edits: Edits | None) -> KnownEdges:
        """Return these edges with others added or taken away; relations without an edit are shared.

        An edge both added and removed is removed.

        Raises:
            UnknownEntityError: An end of an edge is not in the snapshot.
            UnknownRelationError: A relation is not in the snapshot.
        """
        if edits is None or not (edits.added or edits.removed):
            return self
        added = self._grouped(edits.added - edits.removed)
        removed = self._grouped(edits.removed)
        touched = added.keys() | removed.keys() | self.added.keys() | self.removed.keys()
        return KnownEdges(
            snapshot=self.snapshot,
            known_probability=self.known_probability,
            added=added,
            removed=removed,
            _rows={place: row for place, row in self._rows.items() if place[0] not in touched},
        )

    def _grouped(self, edges: Iterable[EdgeKey]) -> dict[int, NDArray[np.int32]]:
        pairs: dict[int, list[tuple[int, int]]] = {}
        for head, relation, tail in sorted(edges):
            ends = (self.snapshot.entity_id(head), self.snapshot.entity_id(tail))
            pairs.setdefault(self.snapshot.relation_id(relation), []).append(ends)
        return {relation: np.array(ends, dtype=np.int32) for relation, ends in pairs.items()}


def known_edges(
    snapshot: Snapshot,
    *,
    known_probability: float = KNOWN_PROBABILITY,
    edits: Edits | None = None,
) -> KnownEdges:
    """Return the known edges of a snapshot.

    Keep the result where many queries are answered: each relation is sorted once.

    Raises:
        SettingError: The probability lies outside [0, 1].
        UnknownEntityError: An edit names an entity that is not in the snapshot.
        UnknownRelationError: An edit names a relation that is not in the snapshot.

    Example:
        >>> from kg.model import Edge, Entity, EntityKey
        >>> from kg.provenance import Provenance
        >>> from kg.snapshot import build_snapshot
        >>> nodes = [Entity(key=EntityKey(k), label="City", name=k) for k in "ab"]
        >>> source = Provenance(kind="asserted", source="a map")
        >>> road = Edge(head=EntityKey("a"), relation="road", tail=EntityKey("b"),
        ...             provenance=(source,))
        >>> known_edges(build_snapshot(nodes, [road])).has(0, 0, 1)
        True
    """
    if not 0.0 <= known_probability <= 1.0:
        raise SettingError(f"known_probability {known_probability!r} lies outside [0, 1]")
    return KnownEdges(snapshot=snapshot, known_probability=known_probability).with_edits(edits)


def consecutive(start: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return start[0], start[0] + 1, … (counts[0] numbers), then the same of the next."""
    if len(start) == 1:
        return np.arange(start[0], start[0] + counts[0], dtype=np.int64)
    after = counts.cumsum()
    found: NDArray[np.int64] = (start - after + counts).repeat(counts)
    found += np.arange(len(found))
    return found


def contains(ids: Ids, wanted: Ids) -> NDArray[np.bool_]:
    """Tell which of some ids are among others; both ascend, each once."""
    if not len(ids):
        return np.zeros(len(wanted), dtype=np.bool_)
    places = ids.searchsorted(wanted)
    found: NDArray[np.bool_] = ids.take(places, mode="clip") == wanted
    return found


def unique_ids(ids: NDArray[np.int32], num_entities: int) -> Ids:
    """Return ids ascending and each once, by a sort or by a bitmap, whichever is cheaper."""
    if len(ids) <= num_entities // _DENSE_SHARE:
        return np.unique(ids)
    seen = np.zeros(num_entities, dtype=np.bool_)
    seen[ids] = True
    return np.flatnonzero(seen).astype(np.int32)


def _sorted_row(
    starts: NDArray[np.int32], ends: NDArray[np.int32], probabilities: NDArray[np.float32]
) -> Row:
    order = np.lexsort((ends, starts))
    return Row(starts[order], ends[order], probabilities[order])
