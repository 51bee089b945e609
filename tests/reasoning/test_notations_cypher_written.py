"""Writing Cypher, and reading it back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from kg.errors import (
    UnsafeQueryError,
    UnsupportedQueryError,
)
from kg.model import EntityKey
from reasoning.normal_form import normalise
from reasoning.notations import read_query, write_query
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Union,
)
from tests.reasoning.cypher_trees import ARABIC, COUNTRY, has
from tests.strategies import safe_trees


@settings(max_examples=120, deadline=None)
@given(safe_trees(max_leaves=6))
def test_writing_and_reading_gives_the_normal_form_back(tree: Query) -> None:
    text = write_query(tree, "cypher")
    again = normalise(read_query(text))
    assert again == normalise(keys_as_anchors(tree))
    assert normalise(read_query(write_query(again, "cypher"))) == again


def keys_as_anchors(tree: Query) -> Query:
    """Return a tree with ``key = x`` as an anchor, which is how Cypher reads it."""
    match tree:
        case Compare(attribute="key", comparison="=", value=str(value)):
            return Anchor(EntityKey(value))
        case Projection():
            return Projection(tree.relation, keys_as_anchors(tree.child), tree.inverse)
        case Negation():
            return Negation(keys_as_anchors(tree.child))
        case Intersection() | Union():
            return type(tree)(tuple(map(keys_as_anchors, tree.children)))
        case _:
            return tree


def test_what_cypher_cannot_say_is_refused_when_writing() -> None:
    for tree in (
        Labelled("Entity"),
        Compare("x", "in", ()),
        Compare("x", "=", float("inf")),
        Compare("x", "=", 2**70),
        Labelled("back\\slash"),
    ):
        with pytest.raises(UnsupportedQueryError):
            write_query(tree, "cypher")
    with pytest.raises(UnsafeQueryError):
        write_query(Negation(COUNTRY), "cypher")


def test_names_that_need_backticks_round_trip() -> None:
    tree = Intersection((Labelled("a `b`"), Compare("exists", "=", "x"), has("größer", ARABIC)))
    assert normalise(read_query(write_query(tree, "cypher"))) == normalise(tree)


def test_strings_hold_any_character() -> None:
    tree = Compare("name", "=", 'it\'s "so"\\ \n\t ✓ } ) WHERE')
    assert read_query(write_query(tree, "cypher")) == tree
