"""Patterns: exact joins against trying every binding, and against a store of triples."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import InputError, LimitError, UnknownRelationError, UnsupportedQueryError
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.rdf.names import NAMESPACES
from kg.snapshot import build_snapshot
from reasoning.joins import binding_keys, bindings
from reasoning.known_edges import known_edges
from reasoning.notations import read, write_pattern
from reasoning.patterns import Pattern, PatternEdge
from reasoning.query import Anchor, Negation, Projection, walk
from tests.reasoning.oracles import holds, known_triples
from tests.reasoning.sparql_store import sparql_store, store_rows
from tests.strategies import RELATIONS, graphs, safe_trees

VARIABLES = ("x", "y", "z")


@st.composite
def patterns(draw: st.DrawFn, entities: int) -> Pattern:
    """Draw patterns of up to three variables, with cycles, loops and loose parts."""
    names = st.sampled_from(VARIABLES)
    relations = st.lists(st.sampled_from(RELATIONS), min_size=1, max_size=2, unique=True).map(tuple)
    edges = draw(
        st.lists(st.builds(PatternEdge, names, relations, names, st.booleans()), max_size=4)
    )
    small = safe_trees(entities, max_leaves=2)
    conditions = draw(st.lists(st.tuples(names, st.one_of(small, small.map(Negation))), max_size=2))
    answer = draw(st.lists(names, min_size=1, max_size=2, unique=True))
    different = draw(st.lists(st.tuples(names, names), max_size=1))
    return Pattern(tuple(answer), tuple(edges), tuple(conditions), tuple(different), VARIABLES)


def by_trying(pattern: Pattern, entities: tuple[Entity, ...], edges: tuple[Edge, ...]) -> set:
    """Return the rows of keys, by trying every entity for every variable."""
    triples = known_triples(edges)
    fit = {
        name: [
            entity
            for entity in entities
            if all(
                holds(tree, entity, entities, triples)
                for variable, tree in pattern.conditions
                if variable == name
            )
        ]
        for name in pattern.variables
    }
    rows = set()
    for chosen in product(*fit.values()):
        bound = dict(zip(fit, (entity.key for entity in chosen), strict=True))
        apart = all(bound[one] != bound[other] for one, other in pattern.different)
        if apart and all(_is_there(edge, bound, triples) for edge in pattern.edges):
            rows.add(tuple(bound[name] for name in pattern.answer))
    return rows


def _is_there(edge: PatternEdge, bound: dict[str, str], triples: set) -> bool:
    head, tail = bound[edge.head], bound[edge.tail]
    ways = [(head, tail), (tail, head)] if edge.either_way else [(head, tail)]
    return any((a, relation, b) in triples for relation in edge.relations for a, b in ways)


@settings(max_examples=30)
@given(graphs(max_entities=6), st.data())
def test_bindings_are_those_that_trying_finds(graph: tuple, data: st.DataObject) -> None:
    entities, edges = graph
    pattern = data.draw(patterns(len(entities)))
    known = known_edges(build_snapshot(entities, edges))
    rows = bindings(pattern, known)
    assert set(binding_keys(rows, known)) == by_trying(pattern, entities, edges)
    assert np.array_equal(rows, np.unique(rows, axis=0))


PREFIXES = "".join(f"PREFIX {kind}: <{iri}>\n" for kind, iri in NAMESPACES.items())
TEXTS = (
    "SELECT ?x ?y { ?x relation:borders ?y }",
    "SELECT ?x { ?x relation:borders ?y . ?y relation:borders ?z . ?z relation:borders ?x }",
    "SELECT ?x ?y { ?x relation:borders ?y ; relation:speaks ?l . ?y relation:speaks ?l }",
    "SELECT ?x ?y { ?x relation:borders ?y ; relation:speaks ?y . ?y a label:Language }",
    "SELECT ?y { ?x relation:borders ?y . ?y relation:speaks ?x MINUS { ?y a label:Country } }",
    "SELECT ?x { ?x relation:borders ?x }",
    "SELECT ?x { ?x relation:speaks ?l . ?y relation:speaks ?l FILTER(?x != ?y) }",
    "SELECT ?x ?y { ?x relation:borders|^relation:borders ?y . ?x attribute:size ?v FILTER(?v<3) }",
)


@settings(max_examples=8)
@given(graphs())
def test_texts_return_what_a_store_returns(graph: tuple) -> None:
    entities, edges = graph
    store, known = sparql_store(entities, edges), known_edges(build_snapshot(entities, edges))
    for text in TEXTS:
        asked = read(text, notation="sparql").asked
        assert isinstance(asked, Pattern)
        found = sorted(binding_keys(bindings(asked, known), known))
        expected = [
            tuple(v.removeprefix("urn:umbra:entity:") for v in row)
            for row in store_rows(store, PREFIXES + text)
        ]
        assert found == expected, text


def test_both_notations_read_the_same_pattern() -> None:
    cypher = read(
        "MATCH (a:Country)-[:borders]->(b)-[:speaks]->(l) MATCH (a)-[:speaks]->(l) RETURN a, b"
    )
    sparql = read(
        "SELECT ?a ?b { ?a a label:Country ; relation:borders ?b . ?b relation:speaks ?l . "
        "?a relation:speaks ?l }"
    )
    for one, other in ((cypher.asked, sparql.asked),):
        assert isinstance(one, Pattern)
        assert isinstance(other, Pattern)
        assert (one.answer, one.edges, one.conditions) == (
            other.answer,
            other.edges,
            other.conditions,
        )
    with pytest.raises(UnsupportedQueryError, match="returned, a and b"):
        assert cypher.tree


def test_two_variables_are_told_apart_in_each_notation() -> None:
    cypher = read("MATCH (a)-[:speaks]->(l) MATCH (b:Country)-[:speaks]->(l) WHERE a <> b RETURN a")
    sparql = read(
        "SELECT ?a { ?a relation:speaks ?l . ?b relation:speaks ?l ; a label:Country "
        "FILTER(?a != ?b) }"
    )
    for reading in (cypher, sparql):
        assert isinstance(reading.asked, Pattern)
        assert reading.asked.different == (("a", "b"),)
        assert read(write_pattern(reading.asked)).asked == reading.asked
        with pytest.raises(UnsupportedQueryError, match="two variables are compared"):
            assert reading.tree
    for text in (
        "MATCH (a)-[:r]->(b) WHERE NOT a <> b RETURN a",
        "MATCH (a)-[:r]->(b) WHERE a <> b OR a:X RETURN a",
        "MATCH (a)-[:r]->(b) WHERE a <> c RETURN a",
        "SELECT ?a { ?a relation:r ?b ; attribute:x ?v FILTER(?a != ?v) }",
        "SELECT ?a { ?a relation:r ?b FILTER(?a = ?b) }",
    ):
        with pytest.raises(UnsupportedQueryError) as caught:
            read(text)
        assert caught.value.line == 1


def test_a_given_entity_is_no_knot_so_that_its_cycle_is_a_tree() -> None:
    text = (
        "MATCH (a)-[:borders]->(b)-[:speaks]->(l {key: 'language:ara'}) "
        "MATCH (a)-[:speaks]->(l) RETURN a"
    )
    arabic = Anchor(EntityKey("language:ara"))
    tree = read(text).tree
    assert [part for part in walk(tree) if part == arabic] == [arabic, arabic]
    behind = read("MATCH (a)-[:speaks]->(l {key: 'language:ara'})<-[:uses]-(b:X) RETURN a")
    assert isinstance(behind.tree, Projection)


def test_limits_and_unknown_names() -> None:
    nodes = [Entity(key=EntityKey(f"e:{i:02}"), label="A", name="n") for i in range(40)]
    source = (Provenance(kind="asserted", source="a map"),)
    edges = [
        Edge(head=a.key, relation="r", tail=b.key, provenance=source) for a in nodes for b in nodes
    ]
    known = known_edges(build_snapshot(nodes, edges))
    pair = Pattern(("x", "y"), (PatternEdge("x", ("r",), "y"), PatternEdge("y", ("r",), "z")))
    assert len(bindings(pair, known)) == 1600
    wide = Pattern(("x", "y", "z"), pair.edges)
    with pytest.raises(LimitError, match="64000 rows"):
        bindings(wide, known, max_rows=10_000)
    with pytest.raises(UnknownRelationError):
        bindings(Pattern(("x",), (PatternEdge("x", ("q",), "y"),)), known)
    with pytest.raises(InputError, match="no variable"):
        Pattern(("w",), pair.edges)
