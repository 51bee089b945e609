"""Hardness of an answer: the least number of held-out edges in a proof of it (arXiv 2410.12537).

Most published "complex" answers need a single missing edge, so figures are told apart by it. A
min-plus pass over the positive branches: an anchor costs 0, a hop adds 0 over a known edge and 1
over a held-out one and takes the cheapest way, an intersection adds its branches, a union takes the
cheapest. Negated branches cost nothing, but what they hold on the full graph is no proof. It is an
upper bound where one missing edge serves twice.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from kg.errors import UnsafeQueryError, UnsupportedQueryError
from reasoning.id_sets import Codes, DirectedEdges, answer_codes, in_blocks, reached
from reasoning.query import (
    Anchor,
    Intersection,
    Negation,
    Projection,
    Query,
    Union,
)
from reasoning.sampling import QuerySet
from reasoning.structures import Structure

__all__ = ["hardness_of", "held_out_edges"]

Costs = NDArray[np.int16]


def held_out_edges(full: DirectedEdges, known: DirectedEdges) -> NDArray[np.bool_]:
    """Tell of each edge of the full graph whether it is missing from the known one.

    Args:
        full: All edges.
        known: Edges of the same entities and relations.

    Returns:
        ``(len(full.ends),)``.
    """
    return ~np.isin(_edge_numbers(full), _edge_numbers(known), assume_unique=True)


def _edge_numbers(edges: DirectedEdges) -> NDArray[np.int64]:
    rows = edges.starts.astype(np.int64) * max(edges.num_relations, 1) + edges.codes
    return rows * max(edges.num_entities, 1) + edges.ends


def hardness_of(
    queries: QuerySet, full: DirectedEdges, held_out: NDArray[np.bool_]
) -> tuple[NDArray[np.int16], ...]:
    """Return the hardness of each hard answer.

    Args:
        queries: Of one structure, with hard answers that the full graph proves.
        full: All edges.
        held_out: Which of them may not be used; from `held_out_edges`.

    Returns:
        For each query as many numbers as it has hard answers; -1 for one that the full graph does
        not prove.

    Raises:
        UnsafeQueryError: A negation without a positive branch.
    """

    def costs_of(rows: slice) -> tuple[Codes, Costs]:
        fold = _Costs(queries.anchors[rows], queries.relations[rows], full, held_out)
        return fold.of(queries.structure.tree)

    found: list[NDArray[np.int16]] = []
    for rows, (codes, costs) in in_blocks(len(queries), costs_of):
        for row, hard in enumerate(queries.hard[rows]):
            found.append(_looked_up(row * full.num_entities + hard.astype(np.int64), codes, costs))
    return tuple(found)


def _looked_up(wanted: Codes, codes: Codes, costs: Costs) -> Costs:
    places = np.searchsorted(codes, wanted)
    hit = places < len(codes)
    hit[hit] = codes[places[hit]] == wanted[hit]
    result = np.full(len(wanted), -1, dtype=np.int16)
    result[hit] = costs[places[hit]]
    return result


class _Costs:
    """The fold: for each node the pairs (query, entity) with the least cost of each."""

    def __init__(
        self,
        anchors: NDArray[np.int32],
        relations: NDArray[np.int32],
        edges: DirectedEdges,
        held_out: NDArray[np.bool_],
    ) -> None:
        self._anchors = anchors
        self._relations = relations
        self._edges = edges
        self._held_out = held_out
        self._queries = np.arange(len(anchors), dtype=np.int64) * edges.num_entities

    def of(self, node: Query) -> tuple[Codes, Costs]:
        """Return codes, ascending, and the cost of each."""
        match node:
            case Anchor(entity=slot):
                codes = self._queries + self._anchors[:, int(slot)]
                return codes, np.zeros(len(codes), dtype=np.int16)
            case Projection(relation=slot, child=child):
                return self._step(*self.of(child), self._relations[:, int(slot)])
            case Union(children=branches):
                return reduce(_cheapest_of_both, map(self.of, branches))
            case Intersection(children=branches):
                return self._common(branches)
            case Negation():
                raise UnsafeQueryError("a negation without a positive branch")
            case _:
                raise UnsupportedQueryError("a structure has anchors, hops, and, or, not")

    def _step(
        self, codes: Codes, costs: Costs, relations: NDArray[np.int32]
    ) -> tuple[Codes, Costs]:
        came_from, edges, reached_codes = reached(codes, relations, self._edges)
        total = costs[came_from] + self._held_out[edges]
        return _cheapest(reached_codes, total.astype(np.int16))

    def _common(self, branches: tuple[Query, ...]) -> tuple[Codes, Costs]:
        ins = [branch for branch in branches if not isinstance(branch, Negation)]
        if not ins:
            raise UnsafeQueryError("a negation without a positive branch")
        codes, costs = self.of(ins[0])
        for positive in ins[1:]:
            other_codes, other_costs = self.of(positive)
            codes, mine, theirs = np.intersect1d(
                codes, other_codes, assume_unique=True, return_indices=True
            )
            costs = costs[mine] + other_costs[theirs]
        for branch in branches:
            if isinstance(branch, Negation):
                keep = ~np.isin(codes, self._truths(branch.child), assume_unique=True)
                codes, costs = codes[keep], costs[keep]
        return codes, costs

    def _truths(self, node: Query) -> Codes:
        structure = Structure(node, self._anchors.shape[1], self._relations.shape[1])
        return answer_codes(structure, self._anchors, self._relations, self._edges)


def _cheapest(codes: Codes, costs: Costs) -> tuple[Codes, Costs]:
    """Keep the least cost of each code."""
    order = np.lexsort((costs, codes))
    codes, costs = codes[order], costs[order]
    first = np.ones(len(codes), dtype=np.bool_)
    first[1:] = codes[1:] != codes[:-1]
    return codes[first], costs[first]


def _cheapest_of_both(one: tuple[Codes, Costs], other: tuple[Codes, Costs]) -> tuple[Codes, Costs]:
    return _cheapest(np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]]))
