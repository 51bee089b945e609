"""Pages of answers join to all answers of each kind, once, in their order, by every answerer."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from kg.model import Entity, EntityKey
from kg.snapshot import build_snapshot
from kg.vocabulary import Vocabulary
from reasoning.answers import Answer, Answers
from reasoning.exact import ExactAnswerer
from reasoning.of_each import OfEach, Place, ids_after
from reasoning.protocols import Answerer
from reasoning.query import Labelled, Query
from tests.reasoning.symbolic.symbolic_world import SEEDS, answerer_of
from tests.strategies import Case, cases

FEW = 10_000


def pages(answerer: Answerer, tree: Query, k: int, *, proofs: bool = False) -> list[Answers]:
    """Return all pages, each asked for by where the one before ended."""
    each, found = OfEach(), list[Answers]()
    while not found or found[-1].more:
        [page] = answerer.answer([tree], k, each=each, with_proofs=proofs)
        last = {answer.status: Place(answer.score, answer.entity) for answer in page.answers}
        each = OfEach(known=last.get("known", each.known), likely=last.get("likely", each.likely))
        found.append(page)
    return found


def of(status: str, *found: Answers) -> list[Answer]:
    return [one for page in found for one in page.answers if one.status == status]


def assert_joined(answerer: Answerer, tree: Query, k: int) -> None:
    [whole] = answerer.answer([tree], FEW)
    read = pages(answerer, tree, k)
    for status in ("known", "likely"):
        assert of(status, *read) == of(status, whole)
        assert all(len(of(status, page)) <= k for page in read)
    assert {page.total_known for page in read} == {whole.total_known}
    assert not whole.more


@settings(max_examples=20, deadline=None)
@given(cases(max_leaves=4), SEEDS, st.integers(1, 4))
def test_pages_join_to_the_whole(case: Case, seed: int, k: int) -> None:
    assert_joined(answerer_of(case.snapshot, seed), case.tree, k)
    assert_joined(ExactAnswerer(case.snapshot), case.tree, k)


@settings(max_examples=10, deadline=None)
@given(cases(max_leaves=4), SEEDS, st.integers(1, 3))
def test_the_proofs_of_a_page_are_those_of_the_whole(case: Case, seed: int, k: int) -> None:
    answerer = answerer_of(case.snapshot, seed)
    [whole] = answerer.answer([case.tree], FEW, with_proofs=True)
    proofs = {answer.entity: answer.proof for answer in whole.answers}
    for page in pages(answerer, case.tree, k, proofs=True):
        assert {a.entity: a.proof for a in page.answers}.items() <= proofs.items()


def test_what_goes_or_comes_between_two_pages_moves_no_other_answer() -> None:
    def graph(keys: str) -> ExactAnswerer:
        places = [Entity(key=EntityKey(k), label="City", name=k) for k in keys]
        return ExactAnswerer(build_snapshot(places, []))

    tree = Labelled("City")
    [first] = graph("abde").answer([tree], 2, each=OfEach())
    assert [answer.entity for answer in first.answers] == ["a", "b"]
    past = OfEach(known=Place(1.0, EntityKey("b")))
    [second] = graph("acde").answer([tree], 2, each=past)
    assert [answer.entity for answer in second.answers] == ["c", "d"]
    assert second == replace(second, total_known=4, more=True)


def test_the_first_id_after_a_key() -> None:
    names = Vocabulary([EntityKey("a"), EntityKey("c")])
    assert [ids_after(names, EntityKey(key)) for key in ("", "a", "b", "c", "d")] == [0, 1, 1, 2, 2]
