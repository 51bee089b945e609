"""Answers judged by held-out edges: which are drawn, what is known beforehand, what is learnt."""

import numpy as np

from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import build_snapshot
from reasoning.answer_calibration_fitting import fit_answer_calibration, validation_answers
from reasoning.exact import evaluate
from reasoning.id_sets import directed_edges
from reasoning.judged_answers import further_answers, judged_answers, validation_queries
from reasoning.sampling import one_hop_queries, sample_queries
from reasoning.structures import STRUCTURES
from reasoning.symbolic.answerer import SymbolicAnswerer
from tests.reasoning.judged_world import (
    EverywherePredictor,
    ListedAnswerer,
    TailChances,
    bipartite,
    chain,
    errors,
)


def test_validation_queries_need_a_held_out_edge_and_are_drawn_by_seed():
    full = chain()
    known = full.keeping(full.heads != full.entity_id("b"))
    drawn = validation_queries(known, full, 3, seed=1)
    assert {queries.structure.name for queries in drawn} >= {"1p", "2p"}
    assert all(len(hard) for queries in drawn for hard in queries.hard)
    again = validation_queries(known, full, 3, seed=1)
    assert [q.anchors.tolist() for q in drawn] == [q.anchors.tolist() for q in again]


def test_the_best_likely_answers_are_judged_by_the_held_out_edges():
    def edge(tail):
        source = Provenance(kind="asserted", source="test")
        return Edge(head=EntityKey("a"), relation="r", tail=EntityKey(tail), provenance=(source,))

    graph = build_snapshot(
        [Entity(key=EntityKey(key), label="X", name=key) for key in "abcd"],
        [edge("b"), edge("d")],
    )
    known = graph.keeping(graph.tails == graph.entity_id("b"))
    queries = one_hop_queries(directed_edges(graph), directed_edges(known))
    judged = judged_answers(ListedAnswerer(), [queries], known, best=2)
    forward = next(one for one in judged if not one.query.inverse)
    assert forward.scores.tolist() == [0.5, 0.4]
    assert forward.outcomes.tolist() == [False, True]


def test_what_half_of_the_edges_proves_is_left_out_of_what_the_rest_proves():
    heads = np.repeat(np.arange(6), 6)
    full = bipartite(heads, (heads + np.tile(np.arange(6), 6)) % 10)
    third = np.random.default_rng(0).integers(3, size=full.num_edges)
    known, half = full.keeping(third == 0), full.keeping(third < 2)
    one = sample_queries(
        *(STRUCTURES["2i"], 20, directed_edges(half)),
        generator=np.random.default_rng(0),
        known=directed_edges(known),
    )
    other = further_answers(one, full)
    assert other.easy == one.easy
    assert sum(map(len, other.hard)) > 0
    for row in range(len(one)):
        everything = set(evaluate(one.tree(row, full), full).tolist())
        before = {*one.easy[row].tolist(), *one.hard[row].tolist()}
        assert set(other.hard[row].tolist()) == everything - before


def test_probabilities_hold_better_for_new_edges_where_a_row_misses_many():
    """Of 40 tails a head has each with its own chance; three in ten edges are new."""
    draw = np.random.default_rng(1)
    chances = np.linspace(0.05, 0.95, 40) ** 2
    heads, tails = np.nonzero(draw.random((150, 40)) < chances)
    graph = bipartite(heads, tails)
    split = draw.choice(3, graph.num_edges, p=[0.4, 0.3, 0.3])
    half = (split == 0) | ((split == 1) & (draw.random(len(split)) < 0.5))
    known, partly, valid = (graph.keeping(kept) for kept in (split == 0, half, split < 2))
    answerer = SymbolicAnswerer(known, TailChances(graph, 0.8 * chances))
    asked = validation_queries(valid, graph, 40, seed=1)[:1]
    assert asked[0].structure == STRUCTURES["1p"]
    judged = judged_answers(answerer, asked, known)
    calibration = validation_answers(answerer, known, partly, valid, count=50).calibration()
    plain = fit_answer_calibration(
        judged_answers(answerer, validation_queries(known, valid, 50), known)
    )
    before, after = errors(plain, judged)[1], errors(calibration, judged)[1]
    assert before > 0.07
    assert after < 0.75 * before


def test_a_graph_too_small_to_learn_from_has_no_calibration():
    full = chain()
    known = full.keeping(full.heads == full.entity_id("a"))
    half = full.keeping(full.heads != full.entity_id("c"))
    answerer = SymbolicAnswerer(known, EverywherePredictor(full.num_entities))
    assert validation_answers(answerer, known, half, full, count=5).calibration() is None
