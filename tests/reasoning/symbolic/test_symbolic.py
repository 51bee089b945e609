"""Symbolic answering against a dense oracle: its truths, its algebra, its statuses, edits."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kg.snapshot import Snapshot
from reasoning.exact import evaluate
from reasoning.normal_form import normalise
from reasoning.predictors import NoPredictor
from reasoning.protocols import Edits
from reasoning.query import (
    Intersection,
    Negation,
    Query,
    Union,
    walk,
)
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.config import SymbolicConfig
from reasoning.symbolic.fuzzy import LOWER, TRUTH, UPPER
from tests.reasoning.dense_oracle import TablePredictor, dense_truth, edge_table, random_table
from tests.reasoning.symbolic.symbolic_world import NO_PRUNING, SEEDS, answerer_of, dense_row
from tests.strategies import Case, cases, costly, safe_trees

MUCH_PRUNED = SymbolicConfig(epsilon=0.1, floor=0.2, row_entries=2, max_support=1)


@costly
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
        np.testing.assert_allclose(
            dense_row(found.values[row], found.ids, count), expected, atol=1e-6
        )


@costly
@given(cases(max_leaves=4), SEEDS)
def test_rough_truth_is_ordered_and_certainty_is_known(case: Case, seed: int) -> None:
    snapshot = case.snapshot
    found = answerer_of(snapshot, seed).rough_truth(case.tree)
    lower, truth, upper = found.values
    assert (lower <= truth + 1e-12).all()
    assert (truth <= upper + 1e-12).all()
    certain = set(found.ids[lower >= 1.0].tolist())
    assert certain <= set(evaluate(case.tree, snapshot).tolist())


@costly
@given(cases(max_leaves=4), SEEDS, st.integers(1, 9))
def test_known_answers_are_the_exact_ones_and_come_first(case: Case, seed: int, k: int) -> None:
    snapshot = case.snapshot
    [found] = answerer_of(snapshot, seed).answer([case.tree], k)
    exact = [snapshot.entities.name(i) for i in evaluate(case.tree, snapshot).tolist()]
    known = [answer.entity for answer in found.answers if answer.status == "known"]
    assert found.total_known == len(exact)
    assert set(known) <= set(exact)
    assert len(known) == min(k, len(exact))
    assert [answer.status for answer in found.answers[: len(known)]] == ["known"] * len(known)


@costly
@given(cases(max_leaves=4), SEEDS, st.data())
def test_what_known_edges_prove_without_negation_has_the_truth_one(
    case: Case, seed: int, data: st.DataObject
) -> None:
    snapshot = case.snapshot
    if any(isinstance(node, Negation) for node in walk(normalise(case.tree))):
        return
    found = answerer_of(snapshot, seed, MUCH_PRUNED).rough_truth(case.tree)
    proven = evaluate(case.tree, snapshot)
    assert (found.at(proven) == 1.0).all()
    assert set(found.ids[found.values[LOWER] > 0.0].tolist()) == set(proven.tolist())
    others = data.draw(st.lists(safe_trees(len(case.entities)), max_size=2))
    *_, batched = answerer_of(snapshot, seed, MUCH_PRUNED).answer([*others, case.tree], 100)
    surest = {answer.entity for answer in batched.answers if answer.score == 1.0}
    assert {snapshot.entities.name(entity) for entity in proven.tolist()} <= surest


@costly
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


@costly
@given(cases(max_leaves=4), SEEDS, st.sampled_from([NO_PRUNING, MUCH_PRUNED]), st.data())
def test_batch_equals_loop(
    case: Case, seed: int, config: SymbolicConfig, data: st.DataObject
) -> None:
    snapshot = case.snapshot
    trees = data.draw(st.lists(safe_trees(len(case.entities)), min_size=1, max_size=4))
    answerer = answerer_of(snapshot, seed, config)
    batch = answerer.answer(trees, 3, with_proofs=True)
    loop = [
        answerer_of(snapshot, seed, config).answer([tree], 3, with_proofs=True)[0] for tree in trees
    ]
    assert batch == loop
    np.testing.assert_array_equal(
        answerer.scores(trees), np.concatenate([answerer.scores([tree]) for tree in trees])
    )


def _truth(
    snapshot: Snapshot, seed: int, tree: Query, config: SymbolicConfig = NO_PRUNING
) -> np.ndarray:
    found = answerer_of(snapshot, seed, config).rough_truth(tree)
    return dense_row(found.values[TRUTH], found.ids, snapshot.num_entities)


@costly
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
        (
            Intersection((base, Negation(Intersection((a, b))))),
            Intersection((base, Union((Negation(a), Negation(b))))),
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


@costly
@given(cases(max_leaves=3), SEEDS, st.sampled_from([0.5, 1.0, 3.0]), st.data())
def test_what_joins_lies_within_its_members_and_they_within_what_unites(
    case: Case, seed: int, power: float, data: st.DataObject
) -> None:
    snapshot, one = case.snapshot, case.tree
    two = data.draw(safe_trees(len(case.entities), max_leaves=2))
    answerer = answerer_of(snapshot, seed, SymbolicConfig(epsilon=0.0, negation_power=power))
    everyone = np.arange(snapshot.num_entities, dtype=np.int32)
    first, second, both, either, without = (
        answerer.rough_truth(tree).at(everyone)  # lower, truth, upper of every entity
        for tree in (
            one,
            two,
            Intersection((one, two)),
            Union((one, two)),
            Intersection((one, Negation(two))),
        )
    )
    assert (both <= np.minimum(first, second) + 1e-12).all()
    assert (either >= np.maximum(first, second) - 1e-12).all()
    assert (without <= first + 1e-12).all()


@costly
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
        dense_row(found.values[TRUTH], found.ids, snapshot.num_entities), expected, atol=1e-6
    )
    [answers] = answerer.answer([tree], 100, edits=edits)
    assert answers.total_known == len(evaluate(tree, snapshot, edits=edits))
    assert answerer.answer([tree], 5) == before
