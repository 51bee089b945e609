"""Calibration of answers: monotone, better on planted data, and refused where it knows nothing."""

import json

import numpy as np
import pytest

from evaluation import Platt
from kg.errors import CheckpointMismatchError, ForeignFileError, InputError
from kg.model import EntityKey
from reasoning.answer_calibration import AnswerCalibration, family
from reasoning.answer_calibration_fitting import ValidationAnswers, fit_answer_calibration
from reasoning.judged_answers import JudgedAnswers
from reasoning.query import Anchor, Intersection, Labelled, Negation, Projection, Union
from reasoning.symbolic.answerer import SymbolicAnswerer
from tests.reasoning.judged_world import EverywherePredictor, chain, errors

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
    answers = ValidationAnswers(judged=judged, by_half=[], by_other=[])
    outcomes = np.concatenate([one.outcomes for one in judged])
    plain = answers.calibration().probabilities(ONE, [0.5])
    same = answers.counting(np.ones(len(outcomes))).calibration().probabilities(ONE, [0.5])
    more = answers.counting(np.where(outcomes, 2.0, 1.0)).calibration().probabilities(ONE, [0.5])
    assert same == plain
    assert more > plain + 0.05


def judged_alike(share: float, *, of: int = 100) -> list[JudgedAnswers]:
    """Return queries of one answer each, all of one score, a share of them true."""
    scores = np.array([0.5])
    return [
        JudgedAnswers(query=ONE, scores=scores, outcomes=np.array([row < round(share * of)]))
        for row in np.random.default_rng(0).permutation(of * 10) % of
    ]


def test_what_another_draw_proves_counts_for_a_whole_draw():
    """Of ten answers half a draw proves two, all of it three; the other half 1.5 beyond the one."""
    answers = ValidationAnswers(
        judged=judged_alike(0.3), by_half=judged_alike(0.2), by_other=judged_alike(0.15)
    )
    assert answers.growth()["1p"] == pytest.approx(1.5)
    said = answers.calibration().probabilities(ONE, [0.5])
    assert said[0] == pytest.approx(0.3 / (1 - 1.5 * 0.15), abs=0.01)


@pytest.mark.parametrize(("half", "growth"), [(0.05, 2.0), (0.6, 1.0)])
def test_a_whole_draw_proves_between_as_much_and_twice_as_much_as_a_half(half, growth):
    answers = ValidationAnswers(
        judged=judged_alike(0.3), by_half=judged_alike(half), by_other=judged_alike(0.1)
    )
    assert answers.growth() == {None: growth, "1p": growth}
