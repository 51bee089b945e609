"""Proofs: what they call known is in the graph, and their product is the answer's truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import InputError
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import build_snapshot
from reasoning.explanations.shown import show
from reasoning.explanations.text import proof_text
from reasoning.normal_form import normalise
from reasoning.predictors import NoPredictor
from reasoning.proof_tree import ProofUnion, truth_of
from reasoning.protocols import Edits
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Union,
    walk,
)
from reasoning.symbolic.answerer import Evaluation, SymbolicAnswerer
from reasoning.symbolic.config import SymbolicConfig
from reasoning.symbolic.explanation import FuzzyProver
from reasoning.symbolic.fuzzy import TRUTH
from reasoning.symbolic.likely_edges import LikelyEdges
from reasoning.symbolic.predicted_rows import PredictedRows
from tests.reasoning.dense_oracle import TablePredictor, edge_table, random_table
from tests.reasoning.language_world import language_world
from tests.strategies import Case, cases, costly

NO_PRUNING = SymbolicConfig(epsilon=0.0)


@costly
@given(cases(max_leaves=5), st.integers(0, 50))
def test_every_edge_of_every_proof_is_what_it_says(case: Case, seed: int) -> None:
    snapshot = case.snapshot
    table = random_table(snapshot, seed)
    answerer = SymbolicAnswerer(snapshot, TablePredictor(table), NO_PRUNING)
    truth = edge_table(snapshot, table)
    [found] = answerer.answer([case.tree], 20, with_proofs=True)
    for answer in found.answers:
        assert answer.proof is not None
        for edge in answer.proof.edges:
            place = (
                snapshot.relation_id(edge.relation),
                snapshot.entity_id(edge.head),
                snapshot.entity_id(edge.tail),
            )
            stored = snapshot.edge_probability(place[1], place[0], place[2])
            if edge.status == "known":
                assert stored >= 0.9
            elif edge.status == "predicted":
                assert stored < 0.9
                assert edge.probability == pytest.approx(truth[place], abs=1e-6)
            else:
                assert stored < 0.9
                assert edge.probability == pytest.approx(1 - truth[place], abs=1e-6)
        assert answer.proof.score() == pytest.approx(answer.score, abs=1e-12)
        if answer.status == "known" and not _has_negation(found.query):
            assert all(edge.status != "predicted" for edge in answer.proof.edges)


def _has_negation(tree: Query) -> bool:
    return any(isinstance(node, Negation) for node in walk(tree))


@costly
@given(cases(max_leaves=5), st.integers(0, 50))
def test_the_score_of_a_proof_is_the_truth(case: Case, seed: int) -> None:
    snapshot = case.snapshot
    tree = normalise(case.tree)
    rows = PredictedRows(TablePredictor(random_table(snapshot, seed)), NO_PRUNING)
    evaluation = Evaluation(LikelyEdges(snapshot, rows, NO_PRUNING))
    value = evaluation.value(tree)
    prover = FuzzyProver(tree, evaluation)
    for entity, truth in zip(value.ids.tolist(), value.values[TRUTH].tolist(), strict=True):
        if truth <= 0.0:
            continue
        proof = prover.proof(entity)
        assert proof.score() == pytest.approx(truth, abs=1e-12)
        assert proof == prover.proof(entity)


def _answers(tree: Query, edits: Edits | None = None) -> dict[str, tuple]:
    snapshot = language_world(c_speaks_arabic=0.4)
    answerer = SymbolicAnswerer(snapshot, NoPredictor(snapshot.num_entities))
    [found] = answerer.answer([tree], 10, edits=edits, with_proofs=True)
    return {
        answer.entity: (
            answer.status,
            [
                (e.head, e.relation, e.tail, e.status, round(e.probability, 6))
                for e in answer.proof.edges
            ],
            answer.proof.facts,
        )
        for answer in found.answers
        if answer.proof is not None
    }


def test_edges_stand_root_first() -> None:
    tree = Projection("borders", Projection("borders", Anchor(EntityKey("a"))))
    assert _answers(tree) == {
        "c": (
            "likely",
            [("b", "borders", "c", "predicted", 0.5), ("a", "borders", "b", "known", 1.0)],
            (),
        )
    }


def test_a_negated_edge_is_absent_with_the_chance_that_it_is() -> None:
    neighbours = Projection("borders", Labelled("Country"))
    speaks = Projection("speaks", Anchor(EntityKey("ar")), inverse=True)
    found = _answers(Intersection((neighbours, Negation(speaks))))
    assert found["b"] == (
        "known",
        [("a", "borders", "b", "known", 1.0), ("b", "speaks", "ar", "absent", 1.0)],
        ("A is a Country",),
    )
    status, edges, _ = found["c"]
    assert status == "likely"
    assert edges[1] == ("c", "speaks", "ar", "absent", 0.6)


def test_a_known_answer_shows_the_doubt_in_its_negation() -> None:
    countries = Labelled("Country")
    speaks = Projection("speaks", Anchor(EntityKey("ar")), inverse=True)
    status, edges, _ = _answers(Intersection((countries, Negation(speaks))))["c"]
    assert status == "known"  # closed-world: no known edge says so
    assert edges == [("c", "speaks", "ar", "absent", 0.6)]


def test_facts_are_sentences() -> None:
    tree = Intersection(
        (
            Projection("borders", Labelled("Country")),
            Compare("size", ">", 2),
            Negation(Projection("speaks", Labelled("Country"), inverse=True)),
        )
    )
    _, _, facts = _answers(tree)["b"]
    assert "size of B is 3, > 2" in facts
    assert any("speaks" in fact for fact in facts)


def test_a_union_shows_its_best_branch() -> None:
    tree = Union(
        (
            Projection("borders", Anchor(EntityKey("b"))),
            Projection("speaks", Anchor(EntityKey("ar")), inverse=True),
        )
    )
    status, edges, _ = _answers(tree)["c"]
    assert status == "likely"
    assert edges == [("b", "borders", "c", "predicted", 0.5)]


def test_a_union_keeps_all_its_branches() -> None:
    """Two ways, each one half likely and 0.4 likely, make 1 − 0.5 · 0.6 together."""
    snapshot = language_world(c_speaks_arabic=0.4)
    tree = Union(
        (
            Projection("borders", Anchor(EntityKey("b"))),
            Projection("speaks", Anchor(EntityKey("ar")), inverse=True),
            Projection("speaks", Anchor(EntityKey("fr")), inverse=True),
        )
    )
    answerer = SymbolicAnswerer(snapshot, NoPredictor(snapshot.num_entities))
    [found] = answerer.answer([tree], 10, with_proofs=True)
    [answer] = [answer for answer in found.answers if answer.entity == "c"]
    assert answer.proof is not None
    assert isinstance(answer.proof.tree, ProofUnion)
    assert sorted(map(truth_of, answer.proof.tree.branches)) == pytest.approx([0.0, 0.4, 0.5])
    assert answer.score == answer.proof.score() == pytest.approx(0.7)


def test_a_doubtful_negation_inside_lets_a_likely_binding_win() -> None:
    """Known through c, which probably speaks Arabic; truer through b, which surely does not."""
    names = ("a", "b", "c", "ar")
    entities = [Entity(key=EntityKey(name), label="Thing", name=name) for name in names]
    source = Provenance(kind="asserted", source="s")
    edge = Edge(head=EntityKey("c"), relation="near", tail=EntityKey("a"), provenance=(source,))
    other = Edge(
        head=EntityKey("ar"), relation="speaks", tail=EntityKey("ar"), provenance=(source,)
    )
    snapshot = build_snapshot(entities, [edge, other])
    table = np.zeros((2, 4, 4), dtype=np.float32)
    near, speaks = map(snapshot.relation_id, ("near", "speaks"))
    a, b, c, ar = map(snapshot.entity_id, names)
    table[near, b, a], table[speaks, c, ar] = 0.75, 0.875
    tree = Projection(
        "near",
        Intersection(
            (
                Labelled("Thing"),
                Negation(Projection("speaks", Anchor(EntityKey("ar")), inverse=True)),
            )
        ),
    )
    [found] = SymbolicAnswerer(snapshot, TablePredictor(table), NO_PRUNING).answer(
        [tree], 1, with_proofs=True
    )
    [answer] = found.answers
    assert answer.status == "known"
    assert answer.proof is not None
    assert answer.score == answer.proof.score() == 0.75
    assert answer.proof.edges[0].status == "predicted"
    assert "power" not in proof_text(show(answer.proof, str))
    table[near, b, a] = 0.0  # the doubted binding is the only one
    config = SymbolicConfig(epsilon=0.0, negation_power=0.5)
    [found] = SymbolicAnswerer(snapshot, TablePredictor(table), config).answer(
        [tree], 1, with_proofs=True
    )
    [answer] = found.answers
    assert answer.proof is not None
    assert answer.score == answer.proof.score() == 0.125**0.5
    assert "(1 − what is below, to the power of 0.5)" in proof_text(show(answer.proof, str))


def test_an_edge_added_for_one_call_is_known_in_its_proof() -> None:
    tree = Projection("speaks", Anchor(EntityKey("ar")), inverse=True)
    edge = (EntityKey("a"), "speaks", EntityKey("ar"))
    found = _answers(tree, Edits(added=frozenset({edge})))
    assert found["a"] == ("known", [(*edge, "known", 1.0)], ())


def test_no_proof_for_what_is_no_answer() -> None:
    snapshot = language_world(c_speaks_arabic=0.4)
    tree = Projection("borders", Anchor(EntityKey("a")))
    rows = PredictedRows(NoPredictor(snapshot.num_entities), NO_PRUNING)
    evaluation = Evaluation(LikelyEdges(snapshot, rows, NO_PRUNING))
    with pytest.raises(InputError, match="no answer"):
        FuzzyProver(tree, evaluation).proof(snapshot.entity_id("fr"))
    assert np.isclose(FuzzyProver(tree, evaluation).proof(snapshot.entity_id("b")).probability, 1)
