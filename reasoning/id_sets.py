"""Answer sets of many queries of one structure at once, by joins of sorted arrays.

A set for each query is one ascending int64 array of codes query · num_entities + entity, so that
union, intersection and difference of all queries are one numpy call each. `reasoning.exact` is the
evaluator of single queries, with labels, edits and proofs; tests hold both to the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar, assert_never

import numpy as np
from numpy.typing import NDArray

from kg.errors import LimitError, UnsafeQueryError, UnsupportedQueryError
from kg.provenance import KNOWN_PROBABILITY
from kg.snapshot import Snapshot
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    SoftAnchor,
    Union,
)
from reasoning.structures import Structure

__all__ = [
    "Codes",
    "DirectedEdges",
    "answer_codes",
    "directed_edges",
    "distinct",
    "in_blocks",
    "reached",
]

Found = TypeVar("Found")

Codes = NDArray[np.int64]
"""query · num_entities + entity, ascending, each once."""

MAX_CODES = 50_000_000
"""Most pairs that one query may reach in a step, about 400 MB."""

BLOCK_CODES = 4_000_000
"""Most pairs that a block of several queries reaches in a step, about 32 MB an array."""

MAX_ANSWERS = 400_000_000
"""Most (query, answer) pairs that are returned at once, about 3 GB."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DirectedEdges:
    """Every edge in both directions, sorted by (start, directed relation, end).

    Attributes:
        num_entities: Entities of the snapshot.
        num_relations: Directed relations, twice the snapshot's.
        starts: ``(n,)`` int32 entity ids.
        codes: ``(n,)`` int32 directed relations.
        ends: ``(n,)`` int32 entity ids.
        rows: ``(m,)`` int64, start · num_relations + code of each distinct pair, ascending.
        row_bounds: ``(m + 1,)`` where each pair's edges stand.
        start_bounds: ``(num_entities + 1,)`` where each entity's pairs stand in `rows`.
    """

    num_entities: int
    num_relations: int
    starts: NDArray[np.int32]
    codes: NDArray[np.int32]
    ends: NDArray[np.int32]
    rows: NDArray[np.int64]
    row_bounds: NDArray[np.int64]
    start_bounds: NDArray[np.int64]


def directed_edges(
    snapshot: Snapshot, *, min_probability: float = KNOWN_PROBABILITY
) -> DirectedEdges:
    """Return the edges of at least a probability in both directions, sorted for joins."""
    keep = np.asarray(snapshot.probabilities) >= min_probability
    heads, relations, tails = (
        np.asarray(array)[keep] for array in (snapshot.heads, snapshot.relations, snapshot.tails)
    )
    starts = np.concatenate([heads, tails])
    codes = np.concatenate([2 * relations, 2 * relations + 1]).astype(np.int32)
    ends = np.concatenate([tails, heads])
    order = np.lexsort((ends, codes, starts))
    starts, codes, ends = starts[order], codes[order], ends[order]
    count = 2 * snapshot.num_relations
    every_row = starts.astype(np.int64) * count + codes
    first = np.flatnonzero(_is_new(every_row))
    rows = every_row[first]
    owners = rows // max(count, 1)
    return DirectedEdges(
        num_entities=snapshot.num_entities,
        num_relations=count,
        starts=starts,
        codes=codes,
        ends=ends,
        rows=rows,
        row_bounds=np.append(first, len(starts)).astype(np.int64),
        start_bounds=np.searchsorted(owners, np.arange(snapshot.num_entities + 1)).astype(np.int64),
    )


def answer_codes(
    structure: Structure,
    anchors: NDArray[np.int32],
    relations: NDArray[np.int32],
    edges: DirectedEdges,
) -> Codes:
    """Evaluate many queries of one structure.

    Args:
        structure: Without labels and comparisons; a negation only beside a positive branch.
        anchors: ``(num_queries, structure.num_anchors)`` entity ids.
        relations: ``(num_queries, structure.num_relations)`` directed relations.
        edges: The graph.

    Returns:
        Codes of all (query, answer) pairs.

    Raises:
        UnsafeQueryError: A negation without a positive branch.
        LimitError: One query reaches more than `MAX_CODES` entities in a step, or all together have
            more than `MAX_ANSWERS` answers; give fewer queries at once.
    """
    parts: list[Codes] = []
    total = 0
    for rows, codes in in_blocks(
        len(anchors), lambda rows: _Sets(anchors[rows], relations[rows], edges).of(structure.tree)
    ):
        total += len(codes)
        if total > MAX_ANSWERS:
            raise LimitError(f"more than {MAX_ANSWERS} answers", hint="give fewer queries at once")
        parts.append(codes + rows.start * edges.num_entities if rows.start else codes)
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def in_blocks(count: int, work: Callable[[slice], Found]) -> Iterator[tuple[slice, Found]]:
    """Do work on rows in order, on all at once where it can be, else in halves.

    Args:
        count: How many rows there are.
        work: Given consecutive rows; raises `LimitError` where they are too many.

    Yields:
        Rows with what the work returned for them.

    Raises:
        LimitError: A single row is too much.
    """
    waiting = [slice(0, count)] if count else []
    while waiting:
        rows = waiting.pop()
        try:
            found = work(rows)
        except LimitError:
            if rows.stop - rows.start == 1:
                raise
            middle = (rows.start + rows.stop) // 2
            waiting += [slice(middle, rows.stop), slice(rows.start, middle)]
        else:
            yield rows, found


def distinct(codes: Codes) -> Codes:
    """Return codes in ascending order, each once.

    By a sort: the hash table of ``np.unique`` took 25 times as long on 3 million codes.
    """
    ordered = np.sort(codes)
    return ordered[_is_new(ordered)]


def _is_new(ordered: Codes) -> NDArray[np.bool_]:
    """Tell which elements of an ascending array differ from the one before."""
    new = np.ones(len(ordered), dtype=np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    return new


def reached(
    codes: Codes, relations: NDArray[np.int32], edges: DirectedEdges
) -> tuple[NDArray[np.int64], NDArray[np.int64], Codes]:
    """Follow one hop from every pair of a set.

    Args:
        codes: Pairs (query, entity).
        relations: ``(num_queries,)`` directed relation of each query's hop.
        edges: The graph.

    Returns:
        For each edge that is followed: the place in `codes` that it leaves, its place among the
        edges, and the pair that it reaches (not sorted, one may come several times).

    Raises:
        LimitError: There are more such edges than `BLOCK_CODES` (`MAX_CODES` for one query).
    """
    queries, entities = codes // edges.num_entities, codes % edges.num_entities
    keys = entities * edges.num_relations + relations[queries]
    rows = np.searchsorted(edges.rows, keys)
    hit = rows < len(edges.rows)
    hit[hit] = edges.rows[rows[hit]] == keys[hit]
    queries, rows = queries[hit], rows[hit]
    low = edges.row_bounds[rows]
    counts = edges.row_bounds[rows + 1] - low
    total = int(counts.sum())
    if total > (MAX_CODES if len(relations) == 1 else BLOCK_CODES):
        raise LimitError(f"a step reaches {total} entities", hint="ask for fewer at once")
    before = np.cumsum(counts) - counts
    followed = np.repeat(low - before, counts) + np.arange(total, dtype=np.int64)
    owners = np.repeat(queries, counts) * edges.num_entities
    return np.repeat(np.flatnonzero(hit), counts), followed, owners + edges.ends[followed]


class _Sets:
    """The fold; a method would pass the three arrays through every step otherwise."""

    def __init__(
        self, anchors: NDArray[np.int32], relations: NDArray[np.int32], edges: DirectedEdges
    ) -> None:
        self._anchors = anchors
        self._relations = relations
        self._edges = edges
        self._queries = np.arange(len(anchors), dtype=np.int64) * edges.num_entities

    def of(self, node: Query) -> Codes:
        """Return the set of a node."""
        match node:
            case Anchor(entity=slot):
                return self._queries + self._anchors[:, int(slot)]
            case Projection(relation=slot, child=child):
                hop = self._relations[:, int(slot)]
                return distinct(reached(self.of(child), hop, self._edges)[2])
            case Union(children=branches):
                return distinct(np.concatenate([self.of(branch) for branch in branches]))
            case Intersection(children=branches):
                return self._common(branches)
            case Negation():
                raise UnsafeQueryError("a negation without a positive branch")
            case SoftAnchor() | Labelled() | Compare():
                raise UnsupportedQueryError(
                    "a structure has no soft anchors, labels and comparisons"
                )
            case _:
                assert_never(node)

    def _common(self, branches: tuple[Query, ...]) -> Codes:
        ins = [branch for branch in branches if not isinstance(branch, Negation)]
        if not ins:
            raise UnsafeQueryError("a negation without a positive branch")
        found = self.of(ins[0])
        for positive in ins[1:]:
            found = np.intersect1d(found, self.of(positive), assume_unique=True)
        for branch in branches:
            if isinstance(branch, Negation):
                found = np.setdiff1d(found, self.of(branch.child), assume_unique=True)
        return found
