"""Sampling queries with their easy and hard answers, by BetaE's rules (arXiv 2010.11465).

An answer is drawn uniformly and the tree is walked backward through the full graph: at each hop a
relation uniform over those that enter the entity, but not back over the hop just taken, then a head
uniform over its edges. Equal branches are rejected. Easy answers follow from the known graph, hard
ones are the full graph's minus those. Everything is one numpy call for many queries at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kg.errors import SettingError
from kg.snapshot import Snapshot
from reasoning.id_sets import Codes, DirectedEdges, answer_codes
from reasoning.query import (
    Anchor,
    Intersection,
    Negation,
    Projection,
    Query,
    Union,
    walk,
)
from reasoning.structures import STRUCTURES, Structure, fill
from reasoning.walks import BackwardWalk

__all__ = ["MAX_ANSWERS", "QuerySet", "one_hop_queries", "sample_queries", "taken"]

MAX_ANSWERS = 100
"""Most hard answers of a sampled query, and most easy ones that a negation retracts."""

_FRUITLESS_ROUNDS = 12
"""Rounds in a row that find no new query after which the graph is taken to have no more."""

_MOST_ROUNDS = 1_000
_MOST_WALKS = 30_000
"""Of one round, which bounds its memory."""


@dataclass(frozen=True, kw_only=True, eq=False)
class QuerySet:
    """Queries of one structure with their answers.

    Attributes:
        structure: Their structure.
        anchors: ``(n, num_anchors)`` int32 entity ids.
        relations: ``(n, num_relations)`` int32 directed relations.
        easy: Answers that the known graph gives, ascending ids, one array a query.
        hard: Answers that only the full graph gives; empty arrays where both are the same graph.
    """

    structure: Structure
    anchors: NDArray[np.int32]
    relations: NDArray[np.int32]
    easy: tuple[NDArray[np.int32], ...]
    hard: tuple[NDArray[np.int32], ...]

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.anchors)

    def tree(self, row: int, snapshot: Snapshot) -> Query:
        """Return one query as a tree."""
        return fill(self.structure, self.anchors[row], self.relations[row], snapshot)


def one_hop_queries(full: DirectedEdges, known: DirectedEdges | None = None) -> QuerySet:
    """Return every (entity, directed relation) of a graph as a 1p query.

    Args:
        full: All edges.
        known: Edges that easy answers follow from; with it, only queries with a hard answer are
            returned. Without it all answers are easy.
    """
    anchors = (full.rows // max(full.num_relations, 1)).astype(np.int32)[:, None]
    relations = (full.rows % max(full.num_relations, 1)).astype(np.int32)[:, None]
    queries, _ = _with_answers(STRUCTURES["1p"], anchors, relations, full, known)
    if known is None:
        return queries
    return taken(queries, np.flatnonzero([len(hard) > 0 for hard in queries.hard]))


def sample_queries(
    structure: Structure,
    count: int,
    full: DirectedEdges,
    *,
    generator: np.random.Generator,
    known: DirectedEdges | None = None,
    answers_from: NDArray[np.int32] | None = None,
    anchors_from: NDArray[np.bool_] | None = None,
) -> QuerySet:
    """Draw up to `count` distinct queries of a structure.

    Fewer come back where the graph has too few of them.

    Args:
        structure: For instance ``STRUCTURES["2i"]``.
        count: How many to draw.
        full: The graph to walk, all edges.
        generator: Source of randomness.
        known: Edges that easy answers follow from. With it, a query without a hard answer, or with
            more than `MAX_ANSWERS` of them, is rejected, and one with a negation where the other
            edges retract no easy answer, or more than that. Without it all answers are easy, the
            same limit holds for them, and a negation must take something away.
        answers_from: Entities to draw the answer from; all that have an edge by default.
        anchors_from: ``(num_entities,)`` mask of entities that may be anchors.

    Raises:
        SettingError: `count` is negative.

    Example:
        >>> from kg.snapshot import build_snapshot
        >>> from reasoning.id_sets import directed_edges
        >>> nothing = directed_edges(build_snapshot([], []))
        >>> draw = np.random.default_rng(0)
        >>> len(sample_queries(STRUCTURES["2p"], 5, nothing, generator=draw))
        0
    """
    if count < 0:
        raise SettingError(f"count must not be negative, got {count}")
    pool = np.flatnonzero(np.diff(full.start_bounds)) if answers_from is None else answers_from
    chosen = _nothing(structure)
    fruitless = 0
    for _ in range(_MOST_ROUNDS):
        missing = count - len(chosen)
        if missing <= 0 or len(pool) == 0 or fruitless == _FRUITLESS_ROUNDS:
            break
        walked = BackwardWalk(structure, full, generator)
        walks = min(3 * missing + 16, _MOST_WALKS)
        slots = walked.back(generator.choice(pool, walks).astype(np.int32))
        if anchors_from is not None:
            slots = slots[anchors_from[slots[:, : structure.num_anchors]].all(1)]
        slots = slots[_distinct_branches(structure, slots)]
        fresh = _fresh(slots, chosen)
        anchors, relations = np.split(fresh, [structure.num_anchors], axis=1)
        kept = _accepted(structure, anchors, relations, full, known)
        fruitless = 0 if len(kept) else fruitless + 1
        chosen = _joined(chosen, kept, count)
    return chosen


def _distinct_branches(structure: Structure, slots: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Tell which queries have no two equal branches beside each other."""
    keep = np.ones(len(slots), dtype=np.bool_)
    for node in walk(structure.tree):
        if isinstance(node, Intersection | Union):
            shapes = [_slots_of(branch, structure) for branch in node.children]
            for one, other in combinations(shapes, 2):
                if len(one) == len(other):
                    keep &= (slots[:, one] != slots[:, other]).any(1)
    return keep


def _slots_of(node: Query, structure: Structure) -> list[int]:
    found = []
    for part in walk(node):
        if isinstance(part, Anchor):
            found.append(int(part.entity))
        elif isinstance(part, Projection):
            found.append(structure.num_anchors + int(part.relation))
    return found


def _fresh(slots: NDArray[np.int32], chosen: QuerySet) -> NDArray[np.int32]:
    """Return rows that are new, each once, in the order they were drawn."""
    old = np.concatenate([chosen.anchors, chosen.relations], axis=1)
    _, first = np.unique(np.concatenate([old, slots]), axis=0, return_index=True)
    first = np.sort(first[first >= len(old)]) - len(old)
    return slots[first]


def _with_answers(
    structure: Structure,
    anchors: NDArray[np.int32],
    relations: NDArray[np.int32],
    full: DirectedEdges,
    known: DirectedEdges | None,
) -> tuple[QuerySet, NDArray[np.int64]]:
    """Return all queries with their answers, and how many each has on the full graph."""
    everything = answer_codes(structure, anchors, relations, full)
    easy = everything if known is None else answer_codes(structure, anchors, relations, known)
    hard = np.setdiff1d(everything, easy, assume_unique=True)
    queries = QuerySet(
        structure=structure,
        anchors=anchors,
        relations=relations,
        easy=_split(easy, len(anchors), full.num_entities),
        hard=_split(hard, len(anchors), full.num_entities),
    )
    return queries, _counts(everything, len(anchors), full.num_entities)


def _counts(codes: Codes, queries: int, num_entities: int) -> NDArray[np.int64]:
    return np.bincount(codes // max(num_entities, 1), minlength=queries).astype(np.int64)


def _accepted(
    structure: Structure,
    anchors: NDArray[np.int32],
    relations: NDArray[np.int32],
    full: DirectedEdges,
    known: DirectedEdges | None,
) -> QuerySet:
    """Keep queries with few enough answers, and of negations only those that retract something."""
    queries, total = _with_answers(structure, anchors, relations, full, known)
    counted = queries.easy if known is None else queries.hard
    keep = np.array([0 < len(answers) <= MAX_ANSWERS for answers in counted], dtype=np.bool_)
    positive = _without_negation(structure.tree)
    if positive is not None:
        if known is None:
            wider = Structure(positive, structure.num_anchors, structure.num_relations)
            codes = answer_codes(wider, anchors, relations, full)
            retracted = _counts(codes, len(queries), full.num_entities) - total
        else:
            # easy answers that the full graph no longer gives
            sizes = [len(e) + len(h) for e, h in zip(queries.easy, queries.hard, strict=True)]
            retracted = np.array(sizes, dtype=np.int64) - total
        keep &= (retracted > 0) & (retracted <= MAX_ANSWERS)
    return taken(queries, np.flatnonzero(keep))


def _without_negation(node: Query) -> Query | None:
    """Return a structure with its negated branches left out, None where there is none."""
    if not any(isinstance(part, Negation) for part in walk(node)):
        return None
    match node:
        case Projection(relation=slot, child=child):
            inner = _without_negation(child)
            return None if inner is None else Projection(slot, inner)
        case Intersection(children=branches):
            left = tuple(branch for branch in branches if not isinstance(branch, Negation))
            return left[0] if len(left) == 1 else Intersection(left)
        case _:
            return None


def taken(queries: QuerySet, rows: NDArray[np.intp]) -> QuerySet:
    """Return some queries of a set, by their rows."""
    return QuerySet(
        structure=queries.structure,
        anchors=queries.anchors[rows],
        relations=queries.relations[rows],
        easy=tuple(queries.easy[row] for row in rows),
        hard=tuple(queries.hard[row] for row in rows),
    )


def _joined(one: QuerySet, other: QuerySet, limit: int) -> QuerySet:
    return QuerySet(
        structure=one.structure,
        anchors=np.concatenate([one.anchors, other.anchors])[:limit],
        relations=np.concatenate([one.relations, other.relations])[:limit],
        easy=(one.easy + other.easy)[:limit],
        hard=(one.hard + other.hard)[:limit],
    )


def _nothing(structure: Structure) -> QuerySet:
    return QuerySet(
        structure=structure,
        anchors=np.empty((0, structure.num_anchors), dtype=np.int32),
        relations=np.empty((0, structure.num_relations), dtype=np.int32),
        easy=(),
        hard=(),
    )


def _split(codes: Codes, queries: int, num_entities: int) -> tuple[NDArray[np.int32], ...]:
    bounds = np.searchsorted(codes, np.arange(1, queries, dtype=np.int64) * num_entities)
    ids = (codes % max(num_entities, 1)).astype(np.int32)
    return tuple(np.split(ids, bounds)) if queries else ()
