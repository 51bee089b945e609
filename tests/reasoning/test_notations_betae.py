"""BetaE's nested tuples against trees: both ways, with numbers, names and signs."""

from __future__ import annotations

import ast
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import EngineError, InputError, LimitError, QuerySyntaxError, UnsupportedQueryError
from kg.model import EntityKey
from reasoning.notations.betae import BetaeNames, nested_tuples, read_betae, write_betae
from reasoning.query import Anchor, Intersection, Labelled, Negation, Projection, Query, Union
from reasoning.structures import STRUCTURES

NAMES = ("a", "17", "-1", "+x", "-y", 'it\'s \\ "so"\n', "ä:ö", "0", "007")


def paths() -> st.SearchStrategy[Query]:
    """Draw trees of what the notation can say."""

    def bigger(smaller: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
        several = st.lists(smaller, min_size=2, max_size=3).map(tuple)
        return st.one_of(
            st.builds(Projection, st.sampled_from(NAMES), smaller, st.booleans()),
            several.map(Intersection),
            several.map(Union),
            smaller.map(Negation),
        )

    return st.recursive(st.sampled_from(NAMES).map(lambda key: Anchor(EntityKey(key))), bigger)


@given(paths())
def test_every_tree_of_paths_comes_back(tree: Query) -> None:
    text = write_betae(tree)
    nested = nested_tuples(tree)
    assert read_betae(text) == tree
    assert read_betae(nested) == tree
    assert ast.literal_eval(text) == nested
    assert read_betae(json.loads(json.dumps(nested))) == tree


def hop(entity: str, *steps: str) -> Query:
    node: Query = Anchor(EntityKey(entity))
    for step in steps:
        node = Negation(node) if step == "n" else Projection(step, node)
    return node


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("(5, (1, 2))", hop("5", "1", "2")),
        ("[5, [1, 2]]", hop("5", "1", "2")),
        ("((5, (1, 2)))", hop("5", "1", "2")),
        ("((5,(1,)),(6,(2,-2)))", Intersection((hop("5", "1"), hop("6", "2", "n")))),
        ("((5,(1,)),(6,(2,)),(-1,))", Union((hop("5", "1"), hop("6", "2")))),
        (
            "(((5,(1,)),(6,(2,)),(-1,)),(3,))",
            Projection("3", Union((hop("5", "1"), hop("6", "2")))),
        ),
        ("('e', ('-r', '+-r'))", Projection("-r", Projection("r", hop("e"), inverse=True))),
    ],
)
def test_texts_and_their_trees(text: str, tree: Query) -> None:
    assert read_betae(text) == tree


def test_all_fourteen_structures_are_written_and_read() -> None:
    for structure in STRUCTURES.values():
        assert read_betae(write_betae(structure.tree)) == structure.tree


def test_numbers_stand_for_names_in_order_and_for_inverses_where_only_the_pair_has_edges() -> None:
    ordered = BetaeNames(entities=("x", "y"), relations=("r", "s"))
    assert read_betae("(1, (0,))", ordered) == hop("y", "r")
    paired = BetaeNames(known={"4", "-odd"})
    assert read_betae("(9, (5,))", paired) == Projection("4", hop("9"), inverse=True)
    assert read_betae("(9, ('-odd',))", paired) == hop("9", "-odd")
    with pytest.raises(InputError, match="none of 2"):
        read_betae("(2, (0,))", ordered)


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("(5,\n (1, 2)", 2, 8, "the text ends"),
        ("(5, (1, x))", 1, 9, "'x' means nothing here"),
        ("(5,)", 1, 1, "a tuple of 1 stands here"),
        ("(5, 6)", 1, 2, "5 stands here"),
        ("((5, (1,)), (-1,))", 1, 1, "union"),
        ("(5, (1, (2,)))", 1, 2, "5 stands here"),
        ("(5, (1,)) 6", 1, 11, "the end of the query"),
        ("((5, (1,)), (6, (-1, 2)))", 1, 18, "-1 stands here"),
        ("(5, [1, 2))", 1, 10, "']'"),
    ],
)
def test_what_is_no_query_is_refused_with_its_place(
    text: str, line: int, column: int, what: str
) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        read_betae(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert what in str(caught.value)


def test_what_the_notation_lacks_is_named() -> None:
    with pytest.raises(UnsupportedQueryError, match="a Country"):
        write_betae(Intersection((hop("e", "r"), Labelled("Country"))))


@pytest.mark.parametrize("text", ["(" * 5_000, "(5, (" + "1, " * 5_000 + "))", "[" * 50_001])
def test_hostile_texts_are_refused(text: str) -> None:
    with pytest.raises((LimitError, QuerySyntaxError)):
        read_betae(text)


@given(st.text(alphabet="()[],-'\"12ab \\\n", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(EngineError):
        read_betae(text)
