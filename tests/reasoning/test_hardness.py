"""Hardness is the least number of held-out edges over all bindings, tried one by one."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from kg.snapshot import Snapshot
from reasoning.exact import evaluate
from reasoning.hardness import hardness_of, held_out_edges
from reasoning.id_sets import directed_edges
from reasoning.query import Anchor, Intersection, Negation, Projection, Query, Union
from reasoning.sampling import QuerySet, sample_queries
from reasoning.structures import STRUCTURES
from tests.reasoning.test_sampling import graph, split

NAMES = sorted(STRUCTURES)


def cheapest(node: Query, entity: int, full: Snapshot, known: Snapshot) -> float:
    """Return the least number of edges of `full` without `known` that prove an entity."""
    match node:
        case Anchor(entity=key):
            return 0 if full.entities.name(entity) == key else math.inf
        case Projection(relation=name, child=child, inverse=inverse):
            relation = full.relation_id(name)
            costs = [math.inf]
            for other in range(full.num_entities):
                head, tail = (entity, other) if inverse else (other, entity)
                if full.has_edge(head, relation, tail):
                    missing = not known.has_edge(head, relation, tail)
                    costs.append(missing + cheapest(child, other, full, known))
            return min(costs)
        case Union(children=branches):
            return min(cheapest(branch, entity, full, known) for branch in branches)
        case Intersection(children=branches):
            total = 0.0
            for branch in branches:
                if isinstance(branch, Negation):
                    if entity in evaluate(branch.child, full):
                        return math.inf
                else:
                    total += cheapest(branch, entity, full, known)
            return total
        case _:
            raise AssertionError(node)


def drawn(name: str) -> tuple[QuerySet, Snapshot, Snapshot]:
    full = graph(1, entities=10, edges=60)
    known = split(full, 2)
    queries = sample_queries(
        STRUCTURES[name],
        12,
        directed_edges(full),
        generator=np.random.default_rng(3),
        known=directed_edges(known),
    )
    return queries, full, known


@pytest.mark.parametrize("name", NAMES)
def test_hardness_equals_the_least_over_all_bindings(name: str) -> None:
    queries, full, known = drawn(name)
    edges = directed_edges(full)
    found = hardness_of(queries, edges, held_out_edges(edges, directed_edges(known)))
    assert len(queries)
    for row, costs in enumerate(found):
        tree = queries.tree(row, full)
        expected = [cheapest(tree, int(answer), full, known) for answer in queries.hard[row]]
        assert costs.tolist() == expected
        assert (costs >= 1).all()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    queries, full, known = drawn("pi")
    edges = directed_edges(full)
    held_out = held_out_edges(edges, directed_edges(known))
    together = hardness_of(queries, edges, held_out)
    monkeypatch.setattr("reasoning.id_sets.BLOCK_CODES", 4)
    apart = hardness_of(queries, edges, held_out)
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_the_graph_does_not_prove_is_marked() -> None:
    queries, full, known = drawn("2i")
    edges = directed_edges(full)
    wrong = QuerySet(
        structure=queries.structure,
        anchors=queries.anchors,
        relations=queries.relations,
        easy=queries.easy,
        hard=tuple(
            np.setdiff1d(np.arange(full.num_entities), np.union1d(easy, hard)).astype(np.int32)
            for easy, hard in zip(queries.easy, queries.hard, strict=True)
        ),
    )
    found = hardness_of(wrong, edges, held_out_edges(edges, directed_edges(known)))
    assert {int(cost) for costs in found for cost in costs} == {-1}


def test_held_out_edges_are_those_that_are_missing_both_ways() -> None:
    full = graph(1)
    known = split(full, 2)
    edges = directed_edges(full)
    held_out = held_out_edges(edges, directed_edges(known))
    assert held_out.sum() == 2 * (full.num_edges - known.num_edges)
    for start, code, end, missing in zip(
        edges.starts, edges.codes, edges.ends, held_out, strict=True
    ):
        head, tail = (end, start) if code & 1 else (start, end)
        assert known.has_edge(int(head), int(code) >> 1, int(tail)) is not bool(missing)


def test_every_pair_of_a_small_graph_is_covered() -> None:
    """The oracle itself: on a path a-b-c of two held-out edges the far end costs two."""
    full = graph(0, entities=5, edges=20)
    empty = full.keeping(np.zeros(full.num_edges, dtype=bool))
    one_hop = STRUCTURES["1p"]
    for entity, code in product(range(5), range(4)):
        tree = Projection(
            full.relation_names.name(code >> 1),
            Anchor(full.entities.name(entity)),
            inverse=bool(code & 1),
        )
        for answer in evaluate(tree, full):
            assert cheapest(tree, answer, full, empty) == 1
    assert one_hop.name == "1p"
