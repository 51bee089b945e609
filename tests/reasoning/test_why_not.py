"""Why not: what is missing is named, and with it the entity is an answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import UnknownEntityError
from kg.model import EntityKey
from reasoning.exact import evaluate
from reasoning.predictors import NoPredictor
from reasoning.protocols import Edits
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    SoftAnchor,
    Union,
    walk,
)
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.config import SymbolicConfig
from reasoning.why_not import WhyNot, why_not
from tests.reasoning.dense_oracle import TablePredictor, random_table
from tests.reasoning.language_world import language_world
from tests.strategies import RELATIONS, Case, cases

NO_PRUNING = SymbolicConfig(epsilon=0.0)
ARABIC = Anchor(EntityKey("ar"))


@settings(max_examples=30, deadline=None)
@given(cases(max_leaves=5), st.integers(0, 50), st.data())
def test_every_entity_gets_a_proof_of_its_truth(case: Case, seed: int, data: st.DataObject) -> None:
    snapshot = case.snapshot
    answerer = SymbolicAnswerer(snapshot, TablePredictor(random_table(snapshot, seed)), NO_PRUNING)
    entity = data.draw(st.sampled_from(case.entities)).key
    found = why_not(case.tree, entity, answerer)
    assert found.proof.score() == pytest.approx(found.truth, abs=1e-12)
    if found.truth == 0.0:
        assert found.weakest is not None
        assert found.weakest.truth == pytest.approx(0.0, abs=1e-12)
    elif found.weakest is not None:
        assert found.weakest.truth < 1.0


def _is_positive(tree: Query) -> bool:
    return not any(isinstance(node, Negation) for node in walk(tree))


@settings(max_examples=30, deadline=None)
@given(cases(max_leaves=5), st.data())
def test_the_edges_it_names_make_the_entity_an_answer(case: Case, data: st.DataObject) -> None:
    snapshot = case.snapshot
    answerer = SymbolicAnswerer(snapshot, NoPredictor(snapshot.num_entities))
    entity = data.draw(st.sampled_from(case.entities)).key
    found = why_not(case.tree, entity, answerer)
    if _is_positive(found.query) and all(link.kind == "edge" for link in found.needed):
        ids = evaluate(case.tree, snapshot, edits=found.edits)
        assert snapshot.entity_id(entity) in ids.tolist()


@settings(max_examples=8, deadline=None)
@given(cases(max_entities=4, max_leaves=3), st.data())
def test_no_single_edge_does_where_it_names_two(case: Case, data: st.DataObject) -> None:
    snapshot = case.snapshot
    answerer = SymbolicAnswerer(snapshot, NoPredictor(snapshot.num_entities))
    entity = data.draw(st.sampled_from(case.entities)).key
    found = why_not(case.tree, entity, answerer)
    missing = {link.edge for link in found.needed if link.truth == 0.0 and link.edge is not None}
    if not _is_positive(found.query) or len(missing) < 2:
        return
    keys = [e.key for e in case.entities]
    for key in [(head, relation, tail) for head in keys for relation in RELATIONS for tail in keys]:
        [answers] = answerer.answer([case.tree], 9, edits=Edits(added=frozenset({key})))
        assert entity not in {answer.entity for answer in answers.answers}


def _asked(tree: Query, entity: str, edits: Edits | None = None) -> WhyNot:
    snapshot = language_world()
    answerer = SymbolicAnswerer(snapshot, NoPredictor(snapshot.num_entities))
    return why_not(tree, EntityKey(entity), answerer, edits=edits)


SPEAKS_ARABIC = Projection("speaks", ARABIC, inverse=True)


def test_a_missing_edge_is_named() -> None:
    found = _asked(Projection("borders", SPEAKS_ARABIC), "a")
    assert found.truth == 0.0
    assert [(link.kind, link.text, link.truth) for link in found.needed] == [
        ("edge", "C -[borders]-> A", 0.0)
    ]
    assert found.edits == Edits(added=frozenset({("c", "borders", "a")}))


def test_a_weak_answer_names_its_weakest_edge() -> None:
    found = _asked(Projection("borders", Projection("borders", Anchor(EntityKey("a")))), "c")
    assert found.truth == 0.5
    assert found.better == 0
    assert found.weakest is not None
    assert (found.weakest.text, found.weakest.truth) == ("B -[borders]-> C", 0.5)


def test_a_negated_branch_that_holds_is_named() -> None:
    found = _asked(Intersection((Labelled("Country"), Negation(SPEAKS_ARABIC))), "c")
    [link] = found.needed
    assert (link.kind, link.truth) == ("negation", 0.0)
    assert link.text == "C is none of: speaks → ar"
    assert found.edits.removed == {("c", "speaks", "ar")}
    tree = Intersection((Labelled("Country"), Negation(SPEAKS_ARABIC)))
    assert _asked(tree, "c", found.edits).truth == 1.0


@pytest.mark.parametrize(
    ("tree", "entity", "text"),
    [
        (Compare("size", ">", 5), "b", "size of B is 3, not > 5"),
        (Compare("size", ">", 5), "a", "A has no size, wanted is > 5"),
        (Labelled("Language"), "a", "A is a Country, not a Language"),
        (ARABIC, "fr", "FR is not ar"),
        (SoftAnchor(((EntityKey("ar"), 0.5),)), "fr", "FR is a candidate, membership 0.00"),
    ],
)
def test_a_filter_that_fails_is_named(tree: Query, entity: str, text: str) -> None:
    [link] = _asked(tree, entity).needed
    assert (link.kind, link.text, link.truth) == ("fact", text, 0.0)


def test_of_a_union_the_nearest_branch_is_named() -> None:
    far = Projection("borders", Projection("borders", Projection("speaks", ARABIC)))
    found = _asked(Union((far, SPEAKS_ARABIC)), "a")
    assert [link.text for link in found.needed] == ["A -[speaks]-> AR"]


def test_an_answer_without_doubt_lacks_nothing() -> None:
    found = _asked(SPEAKS_ARABIC, "c")
    assert (found.truth, found.needed, found.weakest) == (1.0, (), None)


def test_what_pruning_left_out_is_no_missing_edge() -> None:
    snapshot = language_world()
    table = np.zeros((snapshot.num_relations, 5, 5), dtype=np.float32)
    places = [snapshot.entity_id(EntityKey(key)) for key in ("a", "c")]
    table[(snapshot.relation_id("borders"), *places)] = 0.25
    pruned = SymbolicAnswerer(snapshot, TablePredictor(table), SymbolicConfig(floor=0.2))
    tree = Projection("borders", SoftAnchor(((EntityKey("a"), 0.5),)))
    [answers] = pruned.answer([tree], 9)
    assert "c" not in {answer.entity for answer in answers.answers}
    found = why_not(tree, EntityKey("c"), pruned)
    assert found.truth == found.proof.score() == 0.125
    assert [(link.kind, link.truth) for link in found.needed] == [("edge", 0.25), ("fact", 0.5)]


def test_an_unknown_entity_is_refused() -> None:
    with pytest.raises(UnknownEntityError):
        _asked(SPEAKS_ARABIC, "nobody")
