"""The query tree: what it refuses, its names of structures, and the package's public names."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
from hypothesis import given

import reasoning
from kg.errors import InputError
from kg.model import EntityKey
from reasoning.query import (
    Anchor,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Span,
    Union,
    children,
    relations_of,
    structure_name,
    walk,
)
from tests.strategies import trees

E = Anchor(EntityKey("e"))


def p(child: Query) -> Query:
    return Projection("r", child)


STRUCTURES = {
    "1p": p(E),
    "2p": p(p(E)),
    "3p": p(p(p(E))),
    "2i": Intersection((p(E), p(E))),
    "3i": Intersection((p(E), p(E), p(E))),
    "pi": Intersection((p(p(E)), p(E))),
    "ip": p(Intersection((p(E), p(E)))),
    "2u": Union((p(E), p(E))),
    "up": p(Union((p(E), p(E)))),
    "2in": Intersection((p(E), Negation(p(E)))),
    "3in": Intersection((p(E), p(E), Negation(p(E)))),
    "inp": p(Intersection((p(E), Negation(p(E))))),
    "pin": Intersection((p(p(E)), Negation(p(E)))),
    "pni": Intersection((Negation(p(p(E))), p(E))),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_have_the_names_of_the_field(name: str) -> None:
    tree = STRUCTURES[name]
    assert structure_name(tree) == name
    if isinstance(tree, Intersection | Union):
        assert structure_name(type(tree)(tuple(reversed(tree.children)))) == name


def test_other_trees_have_no_name() -> None:
    for tree in (E, Labelled("A"), Negation(p(E)), p(Labelled("A")), p(p(p(p(E))))):
        assert structure_name(tree) is None


def test_an_intersection_or_union_of_one_is_refused() -> None:
    for kind in (Intersection, Union):
        with pytest.raises(InputError, match="at least two"):
            kind((E,))


def test_spans_do_not_count_in_comparisons() -> None:
    placed = Labelled("A", span=Span(1, 2, 1, 2))
    assert placed == Labelled("A")
    assert hash(placed) == hash(Labelled("A"))


@given(trees(max_leaves=8))
def test_walking_meets_each_node_parents_first(tree: Query) -> None:
    nodes = list(walk(tree))
    assert nodes[0] is tree
    assert len(nodes) == 1 + sum(len(children(node)) for node in nodes)
    names = {node.relation for node in nodes if isinstance(node, Projection)}
    assert relations_of(tree) == names


@pytest.mark.parametrize("name", reasoning.__all__)
def test_each_public_name_is_one_of_its_module(name: str) -> None:
    home = importlib.import_module(reasoning._HOMES[name])
    assert name in home.__all__
    assert getattr(reasoning, name) is getattr(home, name)
    assert getattr(home, name).__doc__ or name == "Query"


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        reasoning.nothing  # noqa: B018


def test_reading_a_query_loads_neither_torch_nor_a_driver() -> None:
    code = (
        "import sys, reasoning; reasoning.read_query('MATCH (a:A) RETURN a'); "
        "print([m for m in ('torch', 'neo4j', 'fastapi', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
