"""Symbolic answering against a dense oracle, its algebra, its bounds and its statuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import (
    SettingError,
    UnknownEntityError,
    UnknownRelationError,
    UnsafeQueryError,
)
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot
from reasoning.exact import evaluate
from reasoning.normal_form import normalise
from reasoning.predictors import NoPredictor
from reasoning.protocols import Edits
from reasoning.query import (
    Anchor,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Union,
    walk,
)
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.config import SymbolicConfig
from reasoning.symbolic.evaluation import Evaluation
from reasoning.symbolic.fuzzy import LOWER, TRUTH, UPPER
from reasoning.symbolic.likely_edges import LikelyEdges
from reasoning.symbolic.predicted_rows import PredictedRows
from tests.reasoning.dense_oracle import TablePredictor, dense_truth, edge_table, random_table
from tests.strategies import Case, cases, safe_trees

NO_PRUNING = SymbolicConfig(epsilon=0.0)
SEEDS = st.integers(0, 50)


def _answerer(
    snapshot: Snapshot, seed: int, config: SymbolicConfig = NO_PRUNING
) -> SymbolicAnswerer:
    return SymbolicAnswerer(snapshot, TablePredictor(random_table(snapshot, seed)), config)


def _dense(found: np.ndarray, ids: np.ndarray, count: int) -> np.ndarray:
    row = np.zeros(count)
    row[ids] = found
    return row


@settings(max_examples=50, deadline=None)
@given(cases(max_leaves=4), SEEDS)
def test_all_three_truths_equal_the_dense_oracle(case: Case, seed: int) -> None:
    snapshot = case.snapshot
    table = random_table(snapshot, seed)
    tree = normalise(case.tree)
    found = SymbolicAnswerer(snapshot, TablePredictor(table), NO_PRUNING).rough_truth(tree)
    likely = edge_table(snapshot, table)
    known = edge_table(snapshot, table, known_only=True)
    count = snapshot.num_entities
    for row, edges, negated in (
        (LOWER, known, likely),
        (TRUTH, likely, None),
        (UPPER, likely, known),
    ):
        expected = dense_truth(tree, snapshot, edges, negated)
        np.testing.assert_allclose(_dense(found.values[row], found.ids, count), expected, atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(cases(max_leaves=4), SEEDS)
def test_rough_truth_is_ordered_and_certainty_is_known(case: Case, seed: int) -> None:
    snapshot = case.snapshot
    found = _answerer(snapshot, seed).rough_truth(case.tree)
    lower, truth, upper = found.values
    assert (lower <= truth + 1e-12).all()
    assert (truth <= upper + 1e-12).all()
    certain = set(found.ids[lower >= 1.0].tolist())
    assert certain <= set(evaluate(case.tree, snapshot).tolist())


@settings(max_examples=50, deadline=None)
@given(cases(max_leaves=4), SEEDS, st.integers(1, 9))
def test_known_answers_are_the_exact_ones_and_come_first(case: Case, seed: int, k: int) -> None:
    snapshot = case.snapshot
    [found] = _answerer(snapshot, seed).answer([case.tree], k)
    exact = [snapshot.entities.name(i) for i in evaluate(case.tree, snapshot).tolist()]
    known = [answer.entity for answer in found.answers if answer.status == "known"]
    assert found.total_known == len(exact)
    assert set(known) <= set(exact)
    assert len(known) == min(k, len(exact))
    assert [answer.status for answer in found.answers[: len(known)]] == ["known"] * len(known)


@settings(max_examples=40, deadline=None)
@given(cases(max_leaves=4), SEEDS)
def test_what_known_edges_prove_without_negation_has_the_truth_one(case: Case, seed: int) -> None:
    snapshot = case.snapshot
    if any(isinstance(node, Negation) for node in walk(normalise(case.tree))):
        return
    config = SymbolicConfig(epsilon=0.1, floor=0.2, row_entries=2, max_support=1)
    found = _answerer(snapshot, seed, config).rough_truth(case.tree)
    proven = evaluate(case.tree, snapshot)
    assert (found.at(proven) == 1.0).all()
    assert set(found.ids[found.values[LOWER] > 0.0].tolist()) == set(proven.tolist())


@settings(max_examples=40, deadline=None)
@given(cases(max_leaves=4), st.sampled_from([0.5, 1.0, 3.0]))
def test_without_predictions_and_weak_edges_it_is_the_exact_evaluator(
    case: Case, power: float
) -> None:
    snapshot = case.snapshot
    snapshot = snapshot.keeping(np.asarray(snapshot.probabilities) >= 0.9)
    config = SymbolicConfig(negation_power=power, floor=0.3)
    answerer = SymbolicAnswerer(snapshot, NoPredictor(snapshot.num_entities), config)
    [found] = answerer.answer([case.tree], 100)
    exact = evaluate(case.tree, snapshot).tolist()
    assert [snapshot.entity_id(answer.entity) for answer in found.answers] == exact
    assert all(answer.probability == 1.0 for answer in found.answers)
    assert found.bound is None


@settings(max_examples=40, deadline=None)
@given(cases(max_leaves=4), SEEDS, st.data())
def test_batch_equals_loop(case: Case, seed: int, data: st.DataObject) -> None:
    snapshot = case.snapshot
    trees = data.draw(st.lists(safe_trees(len(case.entities)), min_size=1, max_size=4))
    answerer = _answerer(snapshot, seed)
    batch = answerer.answer(trees, 3, with_proofs=True)
    loop = [_answerer(snapshot, seed).answer([tree], 3, with_proofs=True)[0] for tree in trees]
    assert batch == loop
    np.testing.assert_array_equal(
        answerer.scores(trees), np.concatenate([answerer.scores([tree]) for tree in trees])
    )


def _truth(
    snapshot: Snapshot, seed: int, tree: Query, config: SymbolicConfig = NO_PRUNING
) -> np.ndarray:
    found = _answerer(snapshot, seed, config).rough_truth(tree)
    return _dense(found.values[TRUTH], found.ids, snapshot.num_entities)


@settings(max_examples=50, deadline=None)
@given(cases(max_leaves=3), SEEDS, st.sampled_from([0.5, 1.0, 3.0]), st.data())
def test_de_morgan_double_negation_and_order(
    case: Case, seed: int, power: float, data: st.DataObject
) -> None:
    snapshot = case.snapshot
    config = SymbolicConfig(epsilon=0.0, negation_power=power)
    a, b = (data.draw(safe_trees(len(case.entities), max_leaves=2)) for _ in range(2))
    base = case.tree
    pairs = (
        (
            Intersection((base, Negation(Union((a, b))))),
            Intersection((base, Negation(a), Negation(b))),
        ),
        (Intersection((base, Negation(Negation(a)))), Intersection((a, base))),
        (Union((a, b, base)), Union((base, Union((b, a))))),
    )
    for one, other in pairs:
        np.testing.assert_allclose(
            _truth(snapshot, seed, one, config),
            _truth(snapshot, seed, other, config),
            atol=1e-12,
        )


@settings(max_examples=50, deadline=None)
@given(
    cases(max_leaves=4),
    SEEDS,
    st.integers(1, 4),
    st.builds(
        SymbolicConfig,
        epsilon=st.sampled_from([0.0, 0.2, 0.6]),
        floor=st.sampled_from([0.0, 0.01, 0.3]),
        row_entries=st.integers(1, 8),
        max_support=st.integers(1, 8),
        negation_power=st.sampled_from([0.5, 1.0, 3.0]),
    ),
)
def test_what_pruning_hides_stays_within_the_stated_bound(
    case: Case, seed: int, k: int, config: SymbolicConfig
) -> None:
    snapshot = case.snapshot
    table = random_table(snapshot, seed)
    answerer = SymbolicAnswerer(snapshot, TablePredictor(table), config)
    tree = normalise(case.tree)
    power = config.negation_power
    full = dense_truth(tree, snapshot, edge_table(snapshot, table), power=power)
    found = answerer.rough_truth(tree)
    pruned = _dense(found.values[TRUTH], found.ids, snapshot.num_entities)
    assert (full <= pruned + found.above + 1e-6).all()
    assert (full >= pruned - found.below - 1e-6).all()

    [answers] = answerer.answer([tree], k)
    listed = [snapshot.entity_id(answer.entity) for answer in answers.answers]
    left = np.delete(full, listed)
    if answers.bound is not None:
        assert (left <= answers.bound + 1e-6).all()
    elif len(listed) == k and all(answer.status == "likely" for answer in answers.answers):
        assert left.max(initial=0.0) <= full[listed].min() + 1e-6


@settings(max_examples=50, deadline=None)
@given(cases(max_leaves=4), SEEDS, st.data())
def test_edits_hold_for_one_call(case: Case, seed: int, data: st.DataObject) -> None:
    snapshot = case.snapshot
    keys = st.tuples(
        st.sampled_from([e.key for e in case.entities]),
        st.sampled_from(snapshot.relation_names.names),
        st.sampled_from([e.key for e in case.entities]),
    )
    edits = Edits(
        added=data.draw(st.frozensets(keys, max_size=3)),
        removed=data.draw(st.frozensets(keys, max_size=3)),
    )
    table = random_table(snapshot, seed)
    answerer = SymbolicAnswerer(snapshot, TablePredictor(table), NO_PRUNING)
    tree = normalise(case.tree)
    before = answerer.answer([tree], 5)
    found = answerer.rough_truth(tree, edits=edits)
    expected = dense_truth(tree, snapshot, edge_table(snapshot, table, edits))
    np.testing.assert_allclose(
        _dense(found.values[TRUTH], found.ids, snapshot.num_entities), expected, atol=1e-6
    )
    [answers] = answerer.answer([tree], 100, edits=edits)
    assert answers.total_known == len(evaluate(tree, snapshot, edits=edits))
    assert answerer.answer([tree], 5) == before


def _world() -> Snapshot:
    entities = [Entity(key=EntityKey(f"e{i}"), label="X", name=f"E{i}") for i in range(6)]
    edges = [
        Edge(
            head=EntityKey(f"e{head}"),
            relation="r",
            tail=EntityKey(f"e{tail}"),
            provenance=(Provenance(kind="asserted", source="s"),),
        )
        for head, tail in ((0, 1), (1, 2), (3, 2), (4, 2))
    ]
    return build_snapshot(entities, edges)


def test_scores_are_finite_and_ties_follow_frequency_not_id() -> None:
    snapshot = _world()
    answerer = SymbolicAnswerer(snapshot, NoPredictor(snapshot.num_entities))
    [row] = answerer.scores([Projection("r", Anchor(EntityKey("e0")))])
    assert np.isfinite(row).all()
    assert row.argmax() == 1
    # e2 is a tail of r three times, e0 never
    assert row[1] > row[2] > row[0] == row[5]


def test_rows_are_computed_once_and_in_blocks() -> None:
    snapshot = _world()
    predictor = TablePredictor(random_table(snapshot, 0))
    answerer = SymbolicAnswerer(snapshot, predictor, SymbolicConfig(block_cells=12))
    tree = Projection("r", Labelled("X"))
    first = answerer.answer([tree], 6)
    assert predictor.calls == 3  # six rows of six entities, two rows a block
    assert answerer.answer([tree], 6) == first
    assert predictor.calls == 3
    small = SymbolicAnswerer(snapshot, predictor, SymbolicConfig(memory_bytes=1))
    assert small.answer([tree, tree], 6) == first * 2


def test_an_owner_of_a_likely_part_lies_in_the_rim() -> None:
    from kg.model import ImagePart

    part = Entity(
        key=EntityKey("p"),
        label="Part",
        name="p",
        part=ImagePart(parent=EntityKey("a"), image="i", box_xyxy=(0, 0, 1, 1)),
    )
    whole = Entity(key=EntityKey("a"), label="Country", name="A")
    label = Entity(key=EntityKey("s"), label="Shape", name="S")
    weak = Provenance(kind="generated", source="i", probability=0.6)
    edge = Edge(head=part.key, relation="has_label", tail=label.key, provenance=(weak,))
    snapshot = build_snapshot([part, whole, label], [edge])
    answerer = SymbolicAnswerer(snapshot, NoPredictor(3))
    found = answerer.rough_truth(Projection("has_label", Anchor(label.key), inverse=True))
    values = dict(zip(found.ids.tolist(), found.values.T.tolist(), strict=True))
    assert values[snapshot.entity_id("p")] == pytest.approx([0.0, 0.6, 0.6])
    assert values[snapshot.entity_id("a")] == pytest.approx([0.0, 0.0, 0.6])


def test_refusals() -> None:
    snapshot = _world()
    answerer = SymbolicAnswerer(snapshot, NoPredictor(6))
    with pytest.raises(UnsafeQueryError):
        answerer.answer([Negation(Labelled("X"))], 1)
    with pytest.raises(UnknownEntityError):
        answerer.answer([Anchor(EntityKey("nobody"))], 1)
    with pytest.raises(UnknownRelationError):
        answerer.answer([Projection("nothing", Labelled("X"))], 1)
    with pytest.raises(SettingError):
        answerer.answer([Labelled("X")], 0)
    with pytest.raises(SettingError):
        SymbolicAnswerer(snapshot, NoPredictor(7))
    for wrong in (
        {"delta": 0.0},
        {"epsilon": 1.0},
        {"floor": -0.1},
        {"negation_power": 0.0},
        {"max_support": 0},
        {"row_entries": 0},
        {"known_probability": 2},
    ):
        with pytest.raises(SettingError):
            SymbolicConfig(**wrong)


def test_an_entity_that_pruning_hid_from_one_branch_ranks_above_those_without_evidence() -> None:
    snapshot = _world()
    table = np.zeros((1, 6, 6), dtype=np.float32)
    table[0, 0, 4], table[0, 1, 4], table[0, 1, 5] = 0.9, 0.05, 0.04
    tree = Intersection(
        (Projection("r", Anchor(EntityKey("e0"))), Projection("r", Anchor(EntityKey("e1"))))
    )
    pruned = SymbolicConfig(epsilon=0.1)
    answerer = SymbolicAnswerer(snapshot, TablePredictor(table), pruned)
    [row] = answerer.scores([tree])
    assert row[4] > row[5]
    assert row[4] > row[3]
    [answers] = answerer.answer([tree], 6)
    # no answer is listed for an estimate, and none of what is left can be surer than the bound
    assert answers.answers == ()
    assert answers.bound is not None
    assert answers.bound >= 0.9 * 0.05
    plain = SymbolicAnswerer(
        snapshot, TablePredictor(table), SymbolicConfig(epsilon=0.1, benefit_of_doubt=0.0)
    )
    assert plain.scores([tree])[0, 4] < 1e-6


@settings(max_examples=30, deadline=None)
@given(cases(max_leaves=4), SEEDS, st.sampled_from([0.1, 1.0]))
def test_estimates_stay_within_the_stated_bound(case: Case, seed: int, unlisted: float) -> None:
    snapshot = case.snapshot
    table = random_table(snapshot, seed)
    config = SymbolicConfig(epsilon=0.3, row_entries=2, benefit_of_doubt=unlisted)
    edges = LikelyEdges(snapshot, PredictedRows(TablePredictor(table), config), config)
    tree = normalise(case.tree)
    found = Evaluation(edges, ranking=True).value(tree)
    truth = dense_truth(tree, snapshot, edge_table(snapshot, table))
    estimate = _dense(found.values[TRUTH], found.ids, snapshot.num_entities)
    assert (truth <= estimate + found.above + 1e-6).all()
    assert (truth >= estimate - found.below - 1e-6).all()


def test_noisy_or_counts_all_ways_and_only_where_entities_are_ranked() -> None:
    snapshot = _world().keeping(np.zeros(4, dtype=np.bool_))
    table = np.zeros((1, 6, 6), dtype=np.float32)
    table[0, 0, :3] = 0.5
    table[0, 0, 3] = 0.7
    table[0, :3, 4] = 0.6
    table[0, 3, 5] = 0.6
    tree = Projection("r", Projection("r", Anchor(EntityKey("e0"))))
    found = {}
    for noisy_or in (False, True):
        config = SymbolicConfig(noisy_or=noisy_or)
        answerer = SymbolicAnswerer(snapshot, TablePredictor(table), config)
        [answers] = answerer.answer([tree], 6)
        found[noisy_or] = (answers, answerer.scores([tree])[0])
    assert found[True][0] == found[False][0]
    assert found[False][1][[4, 5]] == pytest.approx([0.3, 0.42], abs=1e-5)
    # e4 is reached by three ways of 0.5 · 0.6, e5 by one of 0.7 · 0.6
    assert found[True][1][[4, 5]] == pytest.approx([1 - 0.7**3, 0.42], abs=1e-5)
