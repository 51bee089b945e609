"""Four evaluators agree: exact, brute force, rdflib's SPARQL and the store's own Cypher."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from kg.errors import (
    QuerySyntaxError,
    UnknownEntityError,
    UnsafeQueryError,
    UnsupportedQueryError,
)
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot
from kg.store import Store
from reasoning.exact import answer_set
from reasoning.known_edges import KnownEdges, known_edges
from reasoning.notations import read, write_query
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Union,
    walk,
)
from tests.cypher_texts import cypher_texts
from tests.reasoning.oracles import brute_force, known_triples
from tests.reasoning.sparql_oracle import as_rdf, sparql_answers
from tests.strategies import Case, cases, graphs, safe_trees, trees

CASES = 200
MANY = pytest.param(2000, marks=(pytest.mark.slow, pytest.mark.timeout(1200)))
TREES = 25

graphs_with_trees = graphs().flatmap(
    lambda graph: st.tuples(
        st.just(graph),
        st.lists(
            safe_trees(len(graph[0]), max_leaves=4), min_size=TREES, max_size=TREES, unique_by=repr
        ),
    )
)


def known_only(graph: tuple) -> tuple:
    """Return a graph without the edges that are not known: a store does not tell them apart."""
    entities, edges = graph
    triples = known_triples(edges)
    return entities, [e for e in edges if (e.head, e.relation, e.tail) in triples]


def keys_of(tree: Query, edges: KnownEdges) -> list[str]:
    return [edges.snapshot.entities.name(int(i)) for i in answer_set(tree, edges)]


def refill(store: Store, graph: tuple) -> None:
    store.delete_entities([entity.key for entity in store.entities()])
    store.upsert_entities(graph[0])
    store.upsert_edges(graph[1])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("count", [CASES, MANY])
def test_exact_brute_force_sparql_and_cypher_agree(bolt_store: Store, count: int) -> None:
    graphs_seen: set[str] = set()
    seen: set[tuple[str, str]] = set()
    nonempty = 0

    @settings(
        max_examples=3 * count // TREES,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(graphs_with_trees)
    def check(drawn: tuple) -> None:
        nonlocal nonempty
        graph, forest = drawn
        if len(seen) >= count or repr(graph) in graphs_seen:
            return
        graphs_seen.add(repr(graph))
        known = known_only(graph)
        refill(bolt_store, known)
        rdf = as_rdf(*known)
        edges = known_edges(build_snapshot(*graph))
        for tree in forest:
            expected = brute_force(tree, *graph)
            text = write_query(tree, "cypher")
            assert keys_of(tree, edges) == expected
            assert sparql_answers(rdf, tree) == expected, tree
            assert sorted(row[0] for row in bolt_store.query(text).rows) == expected, text
            seen.add((repr(graph), repr(tree)))
            nonempty += bool(expected)

    check()
    assert len(seen) >= count
    assert nonempty >= count // 10


# The other direction: what a person writes means on the store what its tree means here.
TEXTS = """
MATCH (a:Country)-[:borders]->(b) RETURN a.key
MATCH (a:Country)-[:borders]->(b)<-[:speaks]-(c:Language) RETURN a.key
MATCH (a)-[:borders|speaks]->(b:Country) RETURN DISTINCT a.key
MATCH (a)-[:borders]-(b:Country) RETURN DISTINCT a.key
MATCH (a)-[:borders]->(b) MATCH (b)-[:borders]->(c) RETURN a.key
MATCH (a)-[:borders]->(:Country), (a)-[:borders]->(:Language) RETURN a.key
MATCH (a:Country) WHERE NOT (a)-[:speaks]->(:Language) RETURN a.key
MATCH (a:Country) WHERE (a)<-[:borders]-() AND NOT (a)-[:speaks]->(:Language {name: 'Oro'}) RETURN a.key
MATCH (a:Country)-[:borders]->(:Country) WHERE NOT (a)-[:speaks]->(:Country) RETURN a.key
MATCH (a:Country)<-[:borders]-(:Language) WHERE EXISTS { ()-[:borders]->(a)<-[:speaks]-() } RETURN a.key
MATCH (a:Country) WHERE a.size IS NULL RETURN a.key
MATCH (a:Entity) WHERE NOT (a.size IS NULL OR a.motto IS NOT NULL) RETURN a.key
MATCH (a:Country) WHERE NOT a.size >= 2 RETURN a.key
MATCH (a:Entity) WHERE NOT a.size = 1 RETURN a.key
MATCH (a:Entity) WHERE NOT (a.size IN [1, 'a'] OR a.motto CONTAINS 'b') RETURN a.key
MATCH (a:Entity) WHERE NOT (a.size = 1 AND a:Country) RETURN a.key
MATCH (a:Entity) WHERE a.motto <> 2 AND NOT a.motto ENDS WITH 'b' RETURN a.key
MATCH (a:Entity) WHERE NOT coalesce(a.size < 3, false) RETURN a.key
MATCH (a:Entity) WHERE a.size = TRUE OR 'a' <= a.motto RETURN a.key
MATCH (a:Country) WHERE EXISTS { (a)-[:borders]->(b) WHERE b.size = 1 OR b:Language } RETURN a.key
MATCH (a:Country) WHERE NOT EXISTS { MATCH (a)-[:borders]->(b) MATCH (b)-[:speaks]->(c) WHERE c.name STARTS WITH 'O' AND NOT (c)-[:borders]->() } RETURN a.key
MATCH (a:Country) RETURN a.key UNION MATCH (a)-[:speaks]->(b:Language) RETURN a.key
MATCH (a:Entity) WHERE a.name = 'It\\'s "so"\\\\' RETURN a.key
MATCH (a {key: 'e:0'})-[:borders]->(b) RETURN b.key
""".strip().splitlines()  # noqa: E501


SURE = (Provenance(kind="asserted", source="a text"),)
NODES: tuple[tuple[str, str, dict], ...] = (
    ("Country", "Oro", {"size": 1, "motto": "ab"}),
    ("Country", "Ora", {"size": 2}),
    ("Language", "Oro", {"size": True, "motto": "ab"}),
    ("Language", "Bem", {"motto": "a"}),
    ("Country", 'It\'s "so"\\', {"size": 3.5, "motto": "c"}),
    ("Country", "Bem", {"motto": 1}),
)
BORDERS = ((0, 1), (1, 0), (0, 2), (2, 5), (3, 0), (0, 4), (4, 0))
SPEAKS = ((1, 2), (2, 1), (3, 0), (3, 4), (5, 3), (2, 0))
RICH = (  # every text finds something in it
    tuple(
        Entity(key=EntityKey(f"e:{i}"), label=label, name=name, attributes=attributes)
        for i, (label, name, attributes) in enumerate(NODES)
    ),
    tuple(
        Edge(
            head=EntityKey(f"e:{head}"),
            relation=relation,
            tail=EntityKey(f"e:{tail}"),
            provenance=SURE,
        )
        for relation, ends in (("borders", BORDERS), ("speaks", SPEAKS))
        for head, tail in ends
    ),
)


def test_a_text_means_on_the_store_what_its_tree_means_here(bolt_store: Store) -> None:
    tried: Counter[str] = Counter()

    @settings(
        max_examples=8,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(graphs())
    @example(RICH)
    def check(graph: tuple) -> None:
        known = known_only(graph)
        refill(bolt_store, known)
        edges = known_edges(build_snapshot(*graph))
        for text in TEXTS:
            rows = sorted({row[0] for row in bolt_store.query(text).rows})
            assert keys_of(read(text).tree, edges) == rows, text
            tried[text] += bool(rows)

    check()
    assert all(tried[text] for text in TEXTS), [text for text in TEXTS if not tried[text]]


def test_any_text_that_is_read_means_the_same_on_the_store(bolt_store: Store) -> None:
    outcomes: Counter[str] = Counter()

    @settings(
        max_examples=16,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(graphs(), st.lists(cypher_texts(), min_size=15, max_size=15, unique=True))
    def check(graph: tuple, texts: list[str]) -> None:
        known = known_only(graph)
        snapshot = build_snapshot(*graph)
        edges = known_edges(snapshot)
        refill(bolt_store, known)
        for text in texts:
            try:
                tree = read(text, snapshot=snapshot).tree
                found = keys_of(tree, edges)
            except (UnsupportedQueryError, UnsafeQueryError, UnknownEntityError) as error:
                outcomes[type(error).__name__] += 1
                continue
            try:
                rows = sorted(row[0] for row in bolt_store.query(text).rows)
            except QuerySyntaxError:  # brackets that the parser of the store's gate misreads
                outcomes["gate"] += 1
                continue
            assert found == rows, (text, tree)
            outcomes["rows" if rows else "nothing"] += 1

    check()
    assert outcomes["rows"] >= 20, outcomes
    assert outcomes["UnsupportedQueryError"], outcomes


def test_the_oracles_bite() -> None:
    """A planted fault: a union read as an intersection is found by both oracles."""
    entities = tuple(
        Entity(key=EntityKey(f"e:{i}"), label=label, name="x") for i, label in enumerate("AB")
    )
    union = Union((Labelled("A"), Labelled("B")))
    fault = Intersection(union.children)
    edges = known_edges(build_snapshot(entities, []))
    assert keys_of(fault, edges) != brute_force(union, entities, [])
    assert keys_of(fault, edges) != sparql_answers(as_rdf(entities, []), union)


@pytest.mark.parametrize("strategy", [trees(max_leaves=8), safe_trees(max_leaves=8)])
def test_strategies_reach_every_node_type(strategy: st.SearchStrategy[Query]) -> None:
    reached: set[type] = set()
    directions: set[bool] = set()
    comparisons: set[str] = set()

    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    @given(strategy)
    def draw(tree: Query) -> None:
        for node in walk(tree):
            reached.add(type(node))
            if isinstance(node, Projection):
                directions.add(node.inverse)
            if isinstance(node, Compare):
                comparisons.add(node.comparison)

    draw()
    assert reached == {Anchor, Labelled, Compare, Projection, Intersection, Union, Negation}
    assert directions == {True, False}
    assert comparisons == {
        "=", "<>", "<", "<=", ">", ">=", "contains", "starts with", "ends with", "in"
    }  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(cases())
def test_strategies_make_small_graphs_with_every_name(case: Case) -> None:
    snapshot: Snapshot = case.snapshot
    assert 2 <= snapshot.num_entities <= 8
    assert list(snapshot.labels) == ["Country", "Language"]
    assert list(snapshot.relation_names) == ["borders", "speaks"]
