"""Suggestions: each number is that of the answers of its query, and what is chosen differs."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.model import Entity, EntityKey
from kg.snapshot import build_snapshot
from reasoning.exact import answer_set
from reasoning.known_edges import known_edges
from reasoning.query import Compare, Intersection, Labelled, walk
from reasoning.suggesting import Fact, best_for, chosen, facts_about, relaxations
from tests.strategies import Case, cases


@given(cases())
@settings(max_examples=30)
def test_a_fact_holds_for_what_its_query_answers(case: Case) -> None:
    edges = known_edges(case.snapshot)
    results = np.arange(case.snapshot.num_entities, dtype=np.int32)
    facts = facts_about(results, edges, least=1)
    assert len({fact.holders.tobytes() for fact in facts}) == len(facts)
    for fact in facts:
        answers = np.intersect1d(answer_set(fact.query, edges), results)
        assert results[fact.holders].tolist() == answers.tolist()
        assert 1 <= fact.count <= 0.8 * len(results)
        assert fact.words


@given(cases(), st.integers(1, 4))
@settings(max_examples=30)
def test_of_many_facts_those_nearest_to_half_are_kept(case: Case, kept: int) -> None:
    edges = known_edges(case.snapshot)
    results = np.arange(case.snapshot.num_entities, dtype=np.int32)
    whole = facts_about(results, edges, least=1)
    with patch("reasoning.suggesting.facts.KEPT", kept):
        some = facts_about(results, edges, least=1)
    assert bool(some) == bool(whole)
    assert len(some) <= kept
    seen = {fact.holders.tobytes() for fact in some}
    assert seen <= {fact.holders.tobytes() for fact in whole}
    far = max((abs(fact.count - len(results) / 2) for fact in some), default=0.0)
    left = [fact for fact in whole if fact.holders.tobytes() not in seen]
    assert all(abs(fact.count - len(results) / 2) >= far for fact in left)


@given(cases())
@settings(max_examples=30)
def test_a_relaxation_has_answers_and_those_of_the_question(case: Case) -> None:
    edges = known_edges(case.snapshot)
    before = set(answer_set(case.tree, edges).tolist())
    for one in relaxations(case.tree, edges):
        assert one.results.tolist() == answer_set(one.query, edges).tolist()
        assert len(one.results)
        assert before <= set(one.results.tolist())
        if one.change == "drop":
            assert len(list(walk(one.query))) < len(list(walk(case.tree)))


def test_a_fact_of_all_or_of_few_is_no_suggestion() -> None:
    nodes = [
        Entity(
            key=EntityKey(f"c{n}"), label="X", name=f"c{n}",
            attributes={"size": 10.0 * n, "kind": "even" if n % 2 == 0 else f"odd {n}"},
        )
        for n in range(20)
    ]  # fmt: skip
    edges = known_edges(build_snapshot(nodes, []))
    facts = {fact.query: fact.count for fact in facts_about(np.arange(20, dtype=np.int32), edges)}
    assert facts == {
        Compare("kind", "=", "even"): 10,
        Compare("size", ">=", 95): 10,
        Compare("size", "<", 95): 10,
    }


def _fact(*held: int, size: int = 8) -> Fact:
    mask = np.zeros(size, dtype=np.bool_)
    mask[list(held)] = True
    return Fact(Labelled("X"), "that is a X", mask)


def test_numbers_that_no_notation_writes_are_no_facts() -> None:
    odd = (float("nan"), float("inf"), float("-inf"), 2.0)
    nodes = [
        Entity(key=EntityKey(f"c{n}"), label=f"L{n}", name="c", attributes={"size": odd[n % 4]})
        for n in range(16)
    ]
    edges = known_edges(build_snapshot(nodes, []))
    facts = facts_about(np.arange(16, dtype=np.int32), edges)
    assert [fact.query for fact in facts] == [Compare("size", "=", 2.0)]


def test_what_overlaps_comes_later_and_a_group_gets_its_fact() -> None:
    facts = [_fact(0, 1, 2, 3), _fact(0, 1, 2), _fact(4, 5, 6)]
    ones = [1.0] * 3
    assert chosen(facts, ones, 3) == [0, 2, 1]
    assert chosen(facts, ones, 2, weight=1.0) == [0, 1]  # without overlap, by value alone
    assert chosen(facts, [0.1, 1.0, 1.0], 1) == [1]
    assert chosen([], [], 3) == []
    assert best_for(facts, _fact(4, 5).holders) == 2
    assert best_for([], _fact(4).holders) is None


def test_the_smallest_change_comes_first() -> None:
    nodes = [Entity(key=EntityKey(k), label=k[0].upper(), name=k) for k in ("a1", "a2", "b1")]
    edges = known_edges(build_snapshot(nodes, []))
    asked = Intersection((Labelled("A"), Labelled("B")))
    assert [(one.change, one.results.tolist()) for one in relaxations(asked, edges)] == [
        ("drop", [2]), ("drop", [0, 1]),
    ]  # fmt: skip
