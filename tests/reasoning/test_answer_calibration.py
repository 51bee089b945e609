"""Calibration of answers: monotone, better on planted data, and refused where it knows nothing."""

import json

import numpy as np
import pytest

from evaluation import Platt, ece
from kg.errors import CheckpointMismatchError, ForeignFileError, InputError
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import build_snapshot
from reasoning.answer_calibration import AnswerCalibration, family
from reasoning.answer_calibration_fitting import (
    ValidationAnswers,
    fit_answer_calibration,
    validation_answers,
)
from reasoning.answers import Answer, Answers
from reasoning.exact import evaluate
from reasoning.id_sets import directed_edges
from reasoning.judged_answers import (
    JudgedAnswers,
    further_answers,
    judged_answers,
    validation_queries,
)
from reasoning.query import Anchor, Intersection, Labelled, Negation, Projection, Union
from reasoning.sampling import one_hop_queries, sample_queries
from reasoning.structures import STRUCTURES
from reasoning.symbolic.answerer import SymbolicAnswerer

ANCHOR = Anchor(EntityKey("a"))
ONE = Projection("r", ANCHOR)
TWO = Projection("s", ONE)
BOTH = Intersection((ONE, Projection("s", ANCHOR)))


def planted(query, power, queries, seed):
    """Answers of which a share score ** power is true: too sure for a power above 1."""
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(queries):
        scores = np.sort(draw.random(10))[::-1]
        found.append(
            JudgedAnswers(query=query, scores=scores, outcomes=draw.random(10) < scores**power)
        )
    return found


def errors(calibration, judged):
    outcomes = np.concatenate([one.outcomes for one in judged])
    raw = np.concatenate([one.scores for one in judged])
    said = np.concatenate([calibration.probabilities(one.query, one.scores) for one in judged])
    return ece(raw, outcomes), ece(said, outcomes)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (ONE, "1 hop"),
        (TWO, "2 hops"),
        (BOTH, "1 hop and"),
        (Union((ONE, TWO)), "2 hops or"),
        (Intersection((ONE, Negation(TWO))), "2 hops and not"),
        (Labelled("City"), "0 hops"),
    ],
)
def test_family_tells_hops_and_not_or(query, name):
    assert family(query) == name


def test_the_calibration_error_falls_on_planted_answers_of_each_shape():
    calibration = fit_answer_calibration(planted(ONE, 3, 300, 0) + planted(BOTH, 0.4, 300, 1))
    for query, power in ((ONE, 3), (BOTH, 0.4)):
        before, after = errors(calibration, planted(query, power, 400, 2))
        assert before > 0.1
        assert after < 0.03


def test_maps_never_fall_and_stay_in_the_unit_interval():
    random_truth = [
        JudgedAnswers(query=q, scores=one.scores, outcomes=one.outcomes[::-1])
        for q, power in ((ONE, 1), (TWO, 2))
        for one in planted(q, power, 100, 3)
    ]
    calibration = fit_answer_calibration(random_truth)
    for query in (ONE, TWO, BOTH, Labelled("City")):
        said = calibration.probabilities(query, np.linspace(0, 1, 101))
        assert np.all(np.diff(said) >= 0)
        assert 0 <= said[0] <= said[-1] <= 1


def test_a_shape_without_examples_takes_the_map_of_its_family_then_of_all():
    calibration = fit_answer_calibration(planted(ONE, 3, 100, 0) + planted(BOTH, 0.4, 100, 1))
    three = Intersection((*BOTH.children, Projection("t", ANCHOR)))
    assert calibration.map_for(BOTH) is calibration.structures["2i"]
    assert calibration.map_for(three) is calibration.families["1 hop and"]
    assert calibration.map_for(TWO) is calibration.overall


@pytest.mark.parametrize(
    "judged", [[], planted(ONE, 1, 5, 0), planted(ONE, 300, 100, 0)], ids=["none", "few", "untrue"]
)
def test_fitting_without_enough_answers_of_each_kind_is_refused(judged):
    with pytest.raises(InputError, match="too few to calibrate"):
        fit_answer_calibration(judged)


def test_a_saved_calibration_reads_back_for_its_own_model_only(tmp_path):
    path = tmp_path / "answers.json"
    calibration = fit_answer_calibration(planted(ONE, 3, 100, 0))
    calibration.save(path, fingerprint="a" * 64)
    assert AnswerCalibration.load(path, fingerprint="a" * 64) == calibration
    with pytest.raises(CheckpointMismatchError):
        AnswerCalibration.load(path, fingerprint="b" * 64)


@pytest.mark.parametrize(
    "damage",
    [
        {"overall": None},
        {"families": 3},
        {"structures": {"1p": {"kind": "platt", "slope": -1, "intercept": 0}}},
        {"overall": {"kind": "isotonic", "scores": [0, 1], "probabilities": [1, 0]}},
    ],
)
def test_a_damaged_calibration_is_refused_by_name(tmp_path, damage):
    path = tmp_path / "answers.json"
    fit_answer_calibration(planted(ONE, 3, 100, 0)).save(path, fingerprint="a" * 64)
    path.write_text(json.dumps({**json.loads(path.read_text()), **damage}))
    with pytest.raises(ForeignFileError, match=r"calibration|isotonic"):
        AnswerCalibration.load(path, fingerprint="a" * 64)


def test_an_answerer_with_a_calibration_changes_probabilities_of_likely_answers_alone():
    graph = chain()
    predictor = EverywherePredictor(graph.num_entities)
    calibration = AnswerCalibration(overall=Platt(slope=0.5, intercept=0.0))
    query = Projection("r", Anchor(EntityKey("a")))
    plain = SymbolicAnswerer(graph, predictor).answer([query], 9)[0]
    calibrated = SymbolicAnswerer(graph, predictor, calibration=calibration).answer([query], 9)[0]
    statuses = {answer.status for answer in plain.answers}
    assert statuses == {"known", "likely"}
    for one, other in zip(plain.answers, calibrated.answers, strict=True):
        assert (one.entity, one.score, one.status) == (other.entity, other.score, other.status)
        said = calibration.probabilities(query, [one.score])[0]
        assert other.probability == (one.probability if one.status == "known" else said)


class EverywherePredictor:
    """Every edge is as likely as its tail is far down the alphabet."""

    fingerprint = "everywhere"

    def __init__(self, num_entities):
        self.num_entities = num_entities

    def rows(self, entities, *_relation, **_inverse):
        row = 0.1 + 0.1 * np.arange(self.num_entities, dtype=np.float32)
        return np.tile(row, (len(entities), 1))


def chain():
    def edge(head, tail):
        source = Provenance(kind="asserted", source="test")
        return Edge(head=EntityKey(head), relation="r", tail=EntityKey(tail), provenance=(source,))

    entities = [Entity(key=EntityKey(key), label="X", name=key) for key in "abcd"]
    return build_snapshot(entities, [edge("a", "b"), edge("b", "c"), edge("c", "d")])


class ListedAnswerer:
    """Answers every query with the same list: one known answer, then likely ones."""

    def answer(self, trees, k, **_options):
        rows = [
            ("b", 1.0, "known"),
            ("c", 0.5, "likely"),
            ("d", 0.4, "likely"),
            ("a", 0.1, "likely"),
        ]
        listed = tuple(
            Answer(entity=EntityKey(key), score=score, probability=score, status=status)
            for key, score, status in rows
        )
        return [Answers(query=tree, answers=listed[:k], total_known=1) for tree in trees]


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


def test_what_counts_half_pulls_the_map_half_as_much():
    scores = np.full(10, 0.5)
    outcomes = np.arange(10) < 3
    halved = JudgedAnswers(
        query=ONE, scores=scores, outcomes=outcomes, weights=np.where(outcomes, 1.0, 0.5)
    )
    said = fit_answer_calibration([halved] * 60).probabilities(ONE, [0.5])
    assert said[0] == pytest.approx(3 / (3 + 0.5 * 7), abs=0.01)


def test_maps_fitted_again_follow_the_answers_that_count_more():
    judged = planted(ONE, 1, 60, 0)
    answers = ValidationAnswers(judged=judged, by_other=[])
    outcomes = np.concatenate([one.outcomes for one in judged])
    plain = answers.calibration().probabilities(ONE, [0.5])
    same = answers.calibration(np.ones(len(outcomes))).probabilities(ONE, [0.5])
    more = answers.calibration(np.where(outcomes, 2.0, 1.0)).probabilities(ONE, [0.5])
    assert same == plain
    assert more > plain + 0.05


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


class TailChances:
    """Each tail has every head with the tail's own chance, and each head every tail so."""

    fingerprint = "chances"

    def __init__(self, graph, chances):
        self.num_entities = graph.num_entities
        self._chances = np.zeros(graph.num_entities, dtype=np.float32)
        for number, chance in enumerate(chances):
            self._chances[graph.entity_id(f"t{number}")] = chance

    def rows(self, entities, _relation, *, inverse=False):
        tails = self._chances > 0
        if inverse:
            return np.outer(self._chances[entities], ~tails).astype(np.float32)
        return np.outer(~tails[entities], self._chances).astype(np.float32)


def bipartite(heads, tails):
    source = (Provenance(kind="asserted", source="test"),)
    keys = [f"h{head}" for head in range(150)] + [f"t{tail}" for tail in range(40)]
    entities = [Entity(key=EntityKey(key), label="X", name=key) for key in keys]
    edges = [
        Edge(head=EntityKey(f"h{h}"), relation="r", tail=EntityKey(f"t{t}"), provenance=source)
        for h, t in zip(heads, tails, strict=True)
    ]
    return build_snapshot(entities, edges)
