"""What if: the answers under edits are those of the edited graph; what differs is told apart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import InputError, UnknownRelationError
from kg.model import EntityKey
from reasoning.exact import ExactAnswerer
from reasoning.predictors import NoPredictor
from reasoning.protocols import Edits
from reasoning.query import Anchor, Projection
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.what_if import edits_of, what_if
from tests.reasoning.language_world import language_world
from tests.strategies import RELATIONS, Case, cases


@settings(max_examples=25, deadline=None)
@given(cases(), st.data())
def test_changes_lead_from_the_old_answers_to_the_new(case: Case, data: st.DataObject) -> None:
    some = st.sampled_from(case.entities).map(lambda e: e.key)
    chosen = st.frozensets(st.tuples(some, st.sampled_from(RELATIONS), some), max_size=3)
    edits = Edits(added=data.draw(chosen), removed=data.draw(chosen))
    answerer = ExactAnswerer(case.snapshot)
    changes = what_if(answerer, case.tree, edits, k=99)
    [before] = answerer.answer([case.tree], 99)
    [after] = answerer.answer([case.tree], 99, edits=edits)
    assert changes.after == after
    entities = {answer.entity for answer in before.answers}
    entities -= {change.entity for change in changes.gone}
    entities |= {change.entity for change in changes.new}
    assert entities == {answer.entity for answer in after.answers}
    assert not changes.moved


def test_an_answer_moves_from_likely_to_known() -> None:
    snapshot = language_world()
    answerer = SymbolicAnswerer(snapshot, NoPredictor(snapshot.num_entities))
    tree = Projection("borders", Projection("borders", Anchor(EntityKey("a"))))
    edge = (EntityKey("b"), "borders", EntityKey("c"))
    [moved] = what_if(answerer, tree, Edits(added=frozenset({edge})), k=9).moved
    assert moved.before is not None
    assert moved.after is not None
    assert (moved.before.status, moved.before.probability) == ("likely", 0.5)
    assert (moved.after.status, moved.after.probability) == ("known", 1.0)
    changes = what_if(answerer, tree, Edits(removed=frozenset({edge})), k=9)
    assert [change.entity for change in changes.gone] == ["c"]
    assert changes.new == changes.moved == ()


def test_none_is_gone_because_another_pushed_it_down() -> None:
    snapshot = language_world()
    answerer = SymbolicAnswerer(snapshot, NoPredictor(snapshot.num_entities))
    tree = Projection("speaks", Anchor(EntityKey("ar")), inverse=True)
    edge = (EntityKey("a"), "speaks", EntityKey("ar"))
    changes = what_if(answerer, tree, Edits(added=frozenset({edge})), k=1)
    assert [answer.entity for answer in changes.after.answers] == ["a"]
    assert [change.entity for change in changes.new] == ["a"]
    assert changes.gone == changes.moved == ()


def test_senseless_edits_are_refused() -> None:
    edge = (EntityKey("a"), "borders", EntityKey("b"))
    with pytest.raises(InputError, match="both assumed and taken away"):
        edits_of([edge], [edge])
    with pytest.raises(InputError, match="at most 1000"):
        edits_of([(EntityKey(str(n)), "borders", EntityKey("b")) for n in range(1_001)], [])


def test_an_unknown_relation_is_refused() -> None:
    edge = (EntityKey("a"), "likes", EntityKey("b"))
    answerer = ExactAnswerer(language_world())
    with pytest.raises(UnknownRelationError):
        what_if(answerer, Anchor(EntityKey("a")), Edits(added=frozenset({edge})), k=1)
