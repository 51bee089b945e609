"""What pruning hides: bounds, estimates, and the ranks of what was hidden."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kg.model import EntityKey
from reasoning.normal_form import normalise
from reasoning.query import (
    Anchor,
    Intersection,
    Projection,
)
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.config import SymbolicConfig
from reasoning.symbolic.evaluation import Evaluation
from reasoning.symbolic.fuzzy import TRUTH
from reasoning.symbolic.likely_edges import LikelyEdges
from reasoning.symbolic.predicted_rows import PredictedRows
from tests.reasoning.dense_oracle import TablePredictor, dense_truth, edge_table, random_table
from tests.reasoning.symbolic.symbolic_world import SEEDS, dense_row, four_edges
from tests.strategies import Case, cases, costly


@costly
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
    pruned = dense_row(found.values[TRUTH], found.ids, snapshot.num_entities)
    assert (full <= pruned + found.above + 1e-6).all()
    assert (full >= pruned - found.below - 1e-6).all()

    [answers] = answerer.answer([tree], k)
    listed = [snapshot.entity_id(answer.entity) for answer in answers.answers]
    left = np.delete(full, listed)
    if answers.bound is not None:
        assert (left <= answers.bound + 1e-6).all()
    elif len(listed) == k and all(answer.status == "likely" for answer in answers.answers):
        assert left.max(initial=0.0) <= full[listed].min() + 1e-6


def test_an_entity_that_pruning_hid_from_one_branch_ranks_above_those_without_evidence() -> None:
    snapshot = four_edges()
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


@costly
@given(cases(max_leaves=4), SEEDS, st.sampled_from([0.1, 1.0]))
def test_estimates_stay_within_the_stated_bound(case: Case, seed: int, unlisted: float) -> None:
    snapshot = case.snapshot
    table = random_table(snapshot, seed)
    config = SymbolicConfig(epsilon=0.3, row_entries=2, benefit_of_doubt=unlisted)
    edges = LikelyEdges(snapshot, PredictedRows(TablePredictor(table), config), config)
    tree = normalise(case.tree)
    found = Evaluation(edges, ranking=True).value(tree)
    truth = dense_truth(tree, snapshot, edge_table(snapshot, table))
    estimate = dense_row(found.values[TRUTH], found.ids, snapshot.num_entities)
    assert (truth <= estimate + found.above + 1e-6).all()
    assert (truth >= estimate - found.below - 1e-6).all()
