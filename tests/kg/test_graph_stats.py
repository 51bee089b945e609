"""Figures of a graph, against networkx."""

from __future__ import annotations

from collections import Counter

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from kg.backends.memory import MemoryStore
from kg.upkeep.stats import graph_stats
from tests.conformance.store_rules import fact, record, thing

EDGES = st.sets(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["r", "s"]), st.sampled_from("abcd"))
)


@given(EDGES)
def test_degrees_are_those_of_networkx(edges: set[tuple[str, str, str]]) -> None:
    store = MemoryStore()
    store.upsert_entities([thing(key, provenance=(record(),)) for key in "abcd"])
    store.upsert_edges([fact(*edge, record("edges")) for edge in edges])
    found = graph_stats(store)
    graph = nx.MultiDiGraph([(head, tail) for head, _, tail in edges])
    assert found.entities == {"Country": 4}
    assert found.alone == 4 - graph.number_of_nodes()
    assert found.records == {"asserted": 4 + len(edges)}
    assert found.sources.get("edges", 0) == len(edges)
    for relation, told in found.relations.items():
        of = nx.MultiDiGraph([(head, tail) for head, name, tail in edges if name == relation])
        out, into = dict(of.out_degree()), dict(of.in_degree())
        assert told.edges == of.number_of_edges()
        assert (told.most_out, told.most_in) == (max(out.values()), max(into.values()))
        assert told.heads == sum(n > 0 for n in out.values())
        assert told.tails == sum(n > 0 for n in into.values())
    assert set(found.relations) == {name for _, name, _ in edges}


def test_types_and_what_rests_on_others() -> None:
    store = MemoryStore()
    rows = [thing(key, attributes={"x": value}) for key, value in (("a", 1), ("b", 1.5), ("c", 2))]
    store.upsert_entities([*rows, thing("d", attributes={"x": ("u", "v")})])
    store.upsert_edges([fact("a", "r", "b", record(derived_from=("a",)), km=3)])
    found = graph_stats(store)
    assert [(one.of, one.name, Counter(one.types)) for one in found.attributes] == [
        ("Country", "x", Counter({"int": 2, "float": 1, "str[]": 1})), ("r", "km", Counter(int=1)),
    ]  # fmt: skip
    assert (found.derived, found.alone, found.version) == (1, 2, store.version)
