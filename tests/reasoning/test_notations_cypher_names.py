"""Cypher read beside a graph: names become entities, unknown ones are refused; hops and edges."""

from __future__ import annotations

import pytest

from kg.errors import (
    EngineError,
    UnknownEntityError,
    UnknownRelationError,
    UnsupportedQueryError,
)
from kg.model import EntityKey
from reasoning.exact import evaluate
from reasoning.normal_form import EVERYTHING
from reasoning.notations import read_query
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    structure_name,
)
from tests.reasoning.cypher_trees import ARABIC, has, same, world


def test_a_name_that_one_entity_has_becomes_that_entity() -> None:
    tree = read_query(
        "MATCH (c)-[:speaks]->(:Language {name: 'Arabic'}) RETURN c", snapshot=world()
    )
    assert tree == has("speaks", ARABIC)
    assert structure_name(tree) == "1p"
    by_label = "MATCH (c)-[:speaks]->(:%s {name: 'Mexico'}) RETURN c"
    assert read_query(by_label % "Country", snapshot=world()) == has(
        "speaks", Anchor(EntityKey("country:MX"))
    )
    twins = read_query("MATCH (c:City {name: 'Twin'}) RETURN c", snapshot=world())
    assert twins == Intersection((Labelled("City"), Compare("name", "=", "Twin")))
    other = read_query("MATCH (c:City {key: 'country:MX'}) RETURN c", snapshot=world())
    assert evaluate(other, world()).tolist() == []


@pytest.mark.parametrize(
    ("text", "kind", "nearest"),
    [
        ("MATCH (c:Contry) RETURN c", UnsupportedQueryError, "'Country'"),
        ("MATCH (c)-[:speeks]->() RETURN c", UnknownRelationError, "'speaks'"),
        ("MATCH (c:Language {name: 'Arabik'}) RETURN c", UnknownEntityError, "'Arabic'"),
        ("MATCH (c {key: 'country:MZ'}) RETURN c", UnknownEntityError, "'country:MX'"),
        ("MATCH (c:City) WHERE NOT (c)-[:nera]->() RETURN c", UnknownRelationError, "'near'"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(
    text: str, kind: type[EngineError], nearest: str
) -> None:
    with pytest.raises(kind) as caught:
        read_query(text, snapshot=world())
    assert nearest in str(caught.value)


def test_a_loop_in_the_graph_makes_a_chain_of_one_relation_ambiguous() -> None:
    chain = "MATCH (a)-[:%s]->(b)-[:%s]->(c) RETURN a"
    read_query(chain % ("speaks", "speaks"), snapshot=world())
    with pytest.raises(UnsupportedQueryError, match="different edges"):
        read_query(chain % ("near", "near"), snapshot=world())
    apart = "MATCH (a)-[:near]->(b) MATCH (b)-[:near]->(c) RETURN a"
    assert evaluate(read_query(apart, snapshot=world()), world()).tolist() == [1]


@pytest.mark.parametrize(
    "text",
    [
        "MATCH (c)-[:a]->({key: 'x'}), (c)-[:a]->({key: 'y'}) RETURN c",
        "MATCH (c)-[:a]->({name: 'x'}), (c)-[:a]->({name: 'y'}) RETURN c",
        "MATCH (c)-[:a]->(:A), (c)-[:a]->(:B) RETURN c",
        "MATCH (c)-[:a]->(d:X), (c)<-[:a]-(e:X) RETURN c",
        "MATCH (c)-[:a]->(d) WHERE (c)-[:a]->() RETURN c",
        "MATCH (c)-[:a]->(d) MATCH (c)-[:a]->(e) RETURN c",
    ],
)
def test_hops_that_cannot_be_one_edge_may_share_a_clause(text: str) -> None:
    read_query(text)


def test_nodes_without_a_name_in_a_condition_are_not_those_of_the_pattern() -> None:
    same(
        "MATCH (c:A)-[:a]->() WHERE NOT (c)-[:b]->() AND EXISTS { (c)-[:d]->() } RETURN c",
        Intersection(
            (
                Labelled("A"),
                has("a", EVERYTHING),
                Negation(has("b", EVERYTHING)),
                has("d", EVERYTHING),
            )
        ),
    )
    with pytest.raises(UnsupportedQueryError, match="begins with"):
        read_query("MATCH (`#0`:A)-[:a]->() RETURN `#0`")
