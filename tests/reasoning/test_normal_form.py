"""The normal form keeps the meaning and forgets how the question was put."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kg.errors import LimitError, UnsafeQueryError
from kg.model import EntityKey
from reasoning.exact import evaluate
from reasoning.normal_form import normalise, to_disjunctive
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Union,
    children,
    walk,
)
from reasoning.safety import check_safe, describe
from tests.reasoning.oracles import brute_force
from tests.strategies import Case, cases, costly, graphs, safe_trees, trees

A, B, C = (Anchor(EntityKey(key)) for key in "abc")


def shuffled(tree: Query, draw: st.DrawFn) -> Query:
    """Return the tree with its branches in another order, some of them twice."""
    match tree:
        case Intersection() | Union():
            branches = [shuffled(child, draw) for child in tree.children]
            order = draw(st.permutations(branches))
            return type(tree)((*order, draw(st.sampled_from(branches))))
        case Projection():
            return Projection(tree.relation, shuffled(tree.child, draw), tree.inverse)
        case Negation():
            return Negation(shuffled(tree.child, draw))
        case _:
            return tree


@costly
@given(graphs(), trees())
def test_meaning_is_kept_for_safe_and_unsafe_trees(graph: tuple, tree: Query) -> None:
    assert brute_force(normalise(tree), *graph) == brute_force(tree, *graph)


@given(trees(max_leaves=8))
def test_normalising_twice_is_normalising_once(tree: Query) -> None:
    assert normalise(normalise(tree)) == normalise(tree)


@given(trees(max_leaves=8), st.data())
def test_order_and_repetition_of_branches_are_forgotten(tree: Query, data: st.DataObject) -> None:
    assert normalise(shuffled(tree, data.draw)) == normalise(tree)


@given(trees(max_leaves=8))
def test_negations_stand_only_beside_a_positive_branch(tree: Query) -> None:
    try:
        check_safe(tree)
    except UnsafeQueryError:
        assume(False)
    normal = normalise(tree)
    assert not isinstance(normal, Negation)
    for node in walk(normal):
        below = [child for child in children(node) if isinstance(child, Negation)]
        assert not below or isinstance(node, Intersection)
        assert len(below) < len(children(node)) or not below
        assert not any(isinstance(child.child, Union | Negation) for child in below)
        assert not any(isinstance(child, type(node)) for child in children(node)) or isinstance(
            node, Projection
        )


@given(trees(max_leaves=8))
def test_safety_does_not_depend_on_how_the_question_is_put(tree: Query) -> None:
    assert is_safe(tree) == is_safe(normalise(tree)) == is_safe(Negation(Negation(tree)))


def is_safe(tree: Query) -> bool:
    try:
        check_safe(tree)
    except UnsafeQueryError:
        return False
    return True


@given(trees(max_leaves=4), trees(max_leaves=4))
def test_de_morgan(one: Query, other: Query) -> None:
    neither = Intersection((A, Negation(Union((one, other)))))
    assert normalise(neither) == normalise(Intersection((A, Negation(one), Negation(other))))


def test_what_a_user_writes_and_what_it_becomes() -> None:
    tree = Intersection(
        (Labelled("Country"), Union((Compare("size", ">", 1), Negation(B))), Intersection((A, A)))
    )
    assert normalise(tree) == Intersection(
        (
            A,
            Labelled("Country"),
            Negation(Intersection((B, Negation(Compare("size", ">", 1))))),
        )
    )


def test_numbers_and_truth_values_stay_apart() -> None:
    tree = Union((Compare("x", "=", 1), Compare("x", "=", True)))
    assert len(children(normalise(tree))) == 2


@costly
@given(cases())
def test_alternatives_together_are_the_query(case: Case) -> None:
    snapshot = case.snapshot
    found: set[int] = set()
    for branch in to_disjunctive(case.tree):
        assert not any(isinstance(node, Union) for node in walk(branch))
        found.update(evaluate(branch, snapshot).tolist())
    assert sorted(found) == evaluate(case.tree, snapshot).tolist()


def test_too_many_alternatives_are_refused() -> None:
    pair = Union((A, B))
    tree = Intersection(tuple(Projection(f"r{i}", pair) for i in range(7)))
    with pytest.raises(LimitError, match="128 alternatives"):
        to_disjunctive(tree)
    assert len(to_disjunctive(tree, limit=128)) == 128


def test_an_unsafe_query_has_no_alternatives() -> None:
    with pytest.raises(UnsafeQueryError):
        to_disjunctive(Union((A, Negation(B))))


def test_a_tree_that_is_too_large_is_refused() -> None:
    with pytest.raises(LimitError, match="nodes"):
        normalise(Union(tuple(Anchor(EntityKey(str(i))) for i in range(3_000))))


@given(safe_trees(max_leaves=8))
def test_descriptions_are_short(tree: Query) -> None:
    assert 0 < len(describe(tree)) <= 200
