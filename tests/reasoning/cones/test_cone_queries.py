"""Cones answer any query that they take: what is known is never shut out."""

import numpy as np
from hypothesis import given

from kg.errors import UnsupportedQueryError
from reasoning.cones.answerer import ConeAnswerer
from reasoning.cones.cone import GeometryConfig
from reasoning.cones.model import ConeModel, ConeModelConfig
from reasoning.cones.queries import ConeQueries
from reasoning.exact import evaluate
from tests.strategies import Case, cases, costly


@costly
@given(cases())
def test_any_safe_tree_is_answered_or_refused_by_name(case: Case):
    snapshot = case.snapshot
    model = ConeModel(
        snapshot.num_entities,
        2 * snapshot.num_relations,
        ConeModelConfig(shape=GeometryConfig(dim=4, hidden=4)),
    )
    answerer = ConeAnswerer(snapshot, model)
    try:
        [found] = answerer.answer([case.tree], 100)
    except UnsupportedQueryError as error:
        assert error.hint  # noqa: PT017
        return
    known = {snapshot.entities.name(i) for i in evaluate(case.tree, snapshot)}
    assert known == {a.entity for a in found.answers if a.status == "known"}
    assert np.isfinite(answerer.scores([case.tree])).all()


@costly
@given(cases())
def test_branches_never_shut_out_an_answer(case: Case):
    try:
        branches = ConeQueries(case.snapshot).branches(case.tree)
    except UnsupportedQueryError:
        return
    possible = np.zeros(case.snapshot.num_entities, dtype=bool)
    for branch in branches:
        possible |= branch.allowed & branch.fitting
    assert possible[evaluate(case.tree, case.snapshot)].all()
