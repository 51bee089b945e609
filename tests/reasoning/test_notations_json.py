"""JSON: every tree goes through it unchanged, and what is no query is refused with its path."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import EngineError, LimitError, QuerySyntaxError
from reasoning.notations import read_query, write_query
from reasoning.query import Anchor, Compare, Negation, Query, walk
from tests.strategies import trees


@given(trees(max_leaves=10))
def test_every_tree_comes_back_unchanged(tree: Query) -> None:
    written = write_query(tree)
    assert read_query(written) == tree
    assert read_query(json.dumps(written)) == tree
    assert [repr(node) for node in walk(read_query(json.dumps(written)))] == list(
        map(repr, walk(tree))
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "at /: an object with exactly one of"),
        ({"anchor": "a", "label": "b"}, "exactly one of"),
        ({"anchor": 3}, "at /anchor: a text"),
        ({"anchor": ""}, "at /anchor: a text"),
        ({"anchor": "a", "extra": 1}, "at /: the field 'extra'"),
        ({"all": [{"label": "A"}]}, "at /all: a list of at least two"),
        ({"all": [{"label": "A"}, {"not": {"labl": "B"}}]}, "at /all/1/not: "),
        ({"relation": "r"}, "the field 'of' is missing"),
        ({"relation": "r", "of": {"anchor": "a"}, "inverse": 1}, "at /inverse: true or false"),
        ({"relation": "r", "of": [{"anchor": "a"}]}, "at /of: an object was expected, not list"),
        ({"attribute": "x", "comparison": "~", "value": 1}, "at /comparison: one of ="),
        ({"attribute": "x", "comparison": ["="], "value": 1}, "at /comparison: one of ="),
        ({"attribute": "x", "comparison": "=", "value": None}, "at /value: a text, a number"),
        ({"attribute": "x", "comparison": "=", "value": float("nan")}, "finite"),
        ({"attribute": "x", "comparison": "=", "value": 2**63}, "64 bits"),
        ({"attribute": "x", "comparison": "in", "value": "abc"}, "at /value: a list"),
        ({"attribute": "x", "comparison": "<", "value": [1]}, "at /value: a list is compared"),
        ({"attribute": "x", "comparison": "in", "value": [1, [2]]}, "at /value/1: "),
        ({"anchor": "\ud800"}, "half a character"),
    ],
)
def test_what_is_no_query_is_refused_with_its_path(value: dict, message: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        read_query(value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ['{"anchor": "a"', '{"anchor": "a", "anchor": "b"}', '{"anchor": NaN}', "[1", "{}", "[]",
     '{"attribute": "x", "comparison": "=", "value": 1e999}',
     '{"attribute": "x", "comparison": "=", "value": ' + "9" * 5000 + "}"],
)  # fmt: skip
def test_a_text_that_is_no_query_is_refused(text: str) -> None:
    with pytest.raises(QuerySyntaxError):
        read_query(text)


def test_json_that_does_not_parse_says_where() -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        read_query('{"all": [\n  {"label": }]}')
    assert (caught.value.line, caught.value.column) == (2, 13)


def test_hostile_sizes_are_refused() -> None:
    for text in (
        '{"not":' * 100_000,
        '{"not":' * 70 + '{"label":"A"}' + "}" * 70,
        '{"any":[' + ",".join(['{"label":"A"}'] * 2_100) + "]}",
        " " * 2_000_000 + "{}",
    ):
        with pytest.raises(LimitError):
            read_query(text if text.startswith("{") else "{" + text)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["anchor", "label", "attribute", "comparison", "value", "relation", "of",
                         "all", "any", "not", "inverse"]), inner, max_size=3),
    max_leaves=8,
))  # fmt: skip
def test_any_value_is_read_or_refused_by_one_of_our_errors(value: object) -> None:
    try:
        tree = read_query(value if isinstance(value, dict) else {"not": value})
    except EngineError:
        return
    assert read_query(write_query(tree)) == tree


def test_lists_and_tuples_are_the_same() -> None:
    assert read_query({"attribute": "x", "comparison": "in", "value": [1, "a"]}) == Compare(
        "x", "in", (1, "a")
    )
    assert write_query(Negation(Anchor("a"))) == {"not": {"anchor": "a"}}
