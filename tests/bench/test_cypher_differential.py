"""The store against networkx and SPARQL: two hundred pairs agree, and a wrong answer is seen."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import networkx as nx

from bench.cypher_differential import (
    LABELS,
    NAMES,
    RELATIONS,
    compared,
    differs,
    in_rdf,
    of_rdf,
    page,
    random_graph,
)
from bench.cypher_differential_patterns import Hop, Pattern, joined, random_pattern, to_sparql
from kg.backends.memory import MemoryStore
from kg.store import Store, Table


def test_the_store_answers_as_networkx_and_rdflib_do(engine_folder: Path) -> None:
    report = compared(90, seed=11, graph=engine_folder)
    assert report.differing == []
    assert report.rows > 40
    assert len(report.pairs) == 7, "every kind of query is drawn"


def test_the_join_is_right_by_hand() -> None:
    graph = nx.MultiDiGraph()
    for number, (node, label) in enumerate([("e0", "Red"), ("e1", "Blue"), ("e2", "Red")]):
        graph.add_node(node, label=label, size=number)
    graph.add_edges_from([("e0", "e1", "likes"), ("e1", "e0", "likes"), ("e1", "e2", "owns")])
    likes, both = ("likes",), ("likes", "owns")
    two = (Hop("a", both, "b"), Hop("b", both, "c"))
    assert joined(Pattern("rows", two, ("a", "c")), graph) == [
        ("e0", "e0"), ("e0", "e2"), ("e1", "e1"),
    ]  # fmt: skip
    again = (Hop("a", likes, "b"), Hop("a", likes, "c"))
    assert len(joined(Pattern("rows", again, ("a",)), graph)) == 2
    assert joined(Pattern("same edges apart", again, ("a",)), graph) == []
    far = Pattern("distinct", (Hop("a", both, "b", 3),), ("b",), anchors=(("a", "e0"),))
    assert set(joined(far, graph)) == {("e0",), ("e1",), ("e2",)}
    none = Pattern("rows", (Hop("a", likes, "b"),), ("a",), without=(Hop("b", ("owns",), "z"),))
    assert joined(none, graph) == [("e1",)]
    some = Pattern(
        "rows", (Hop("a", likes, "b"),), ("a", "o"), optional=Hop("a", ("owns",), "o"),
        labels=(("b", "Red"),),
    )  # fmt: skip
    assert joined(some, graph) == [("e1", "e2")]
    assert joined(Pattern("sum", two, ("a", "c")), graph) == [("e0", 2), ("e1", 1)]


def test_networkx_and_rdflib_agree_without_a_store() -> None:
    draw = random.Random(3)
    graph = random_graph(draw)
    rdf = in_rdf(graph)
    for _ in range(25):
        pattern = random_pattern(draw, sorted(graph.nodes), LABELS, RELATIONS)
        answers = rdf.query(to_sparql(pattern, NAMES))
        found = [tuple(map(of_rdf, row)) for row in answers]  # type: ignore[arg-type, union-attr]
        assert sorted(found, key=repr) == sorted(joined(pattern, graph), key=repr)


def test_a_wrong_answer_is_seen() -> None:
    class Wrong(MemoryStore):
        def query(self, *_arguments: Any, **_limits: Any) -> Table:
            return Table(columns=("a",), rows=(("nobody",),))

    graph = nx.MultiDiGraph()
    graph.add_node("e0", label="Red", size=1)
    graph.add_edge("e0", "e0", key="likes")
    store: Store = Wrong()
    pattern = Pattern("rows", (Hop("a", ("likes",), "b"),), ("a",))
    told = differs(pattern, graph, store, in_rdf(graph))
    assert "nobody" in told
    shown = page(
        {
            "command": "x", "commit": None, "date": "y", "machine": {"cores": 1}, "seed": 0,
            "pairs": {"rows": 1}, "rows": 1, "differing": [told],
        }
    )  # fmt: skip
    assert "| not equal | 1 |" in shown
