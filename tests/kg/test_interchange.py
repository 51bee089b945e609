"""Graphs as networkx, pandas and rdflib have them, and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import replace

import networkx as nx
import pandas as pd
import pytest
import rdflib
from hypothesis import given, settings

from kg.backends.memory import MemoryStore
from kg.errors import InputError
from kg.interchange import (
    from_networkx,
    from_pandas,
    from_rdflib,
    to_networkx,
    to_pandas,
    to_rdflib,
)
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from tests.kg.rich_graphs import content, filled, graphs

Both = tuple[Iterable[Entity], Iterable[Edge]]
WAYS: dict[str, Callable[[MemoryStore], Both]] = {
    "networkx": lambda store: from_networkx(to_networkx(store)),
    "pandas": lambda store: from_pandas(*to_pandas(store)),
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_lost(way: str) -> None:
    @settings(max_examples=12, deadline=None)
    @given(graphs())
    def round_trip(store: MemoryStore) -> None:
        assert content(filled(*WAYS[way](store))) == content(store)

    round_trip()


@settings(max_examples=10, deadline=None)
@given(graphs())
def test_rdflib_loses_the_order_of_aliases_only(store: MemoryStore) -> None:
    def unordered(store: MemoryStore) -> object:
        entities, edges = content(store)
        return [
            replace(entity, aliases=tuple(sorted(entity.aliases))) for entity in entities
        ], edges

    back = filled(*from_rdflib(to_rdflib(store)))
    assert unordered(back) == unordered(store)


def test_a_network_of_anybody_becomes_a_graph() -> None:
    network = nx.Graph()
    network.add_node(1, name="One", size=3)
    network.add_edge(1, 2, relation="near", km=2.5)
    network.add_edge(2, 3, days=[dt.date(2020, 1, 31)], at=dt.time(10, 30))
    entities, edges = from_networkx(network, source="metro", relation="linked")
    assert [(e.key, e.label, e.name, dict(e.attributes)) for e in entities] == [
        ("1", "Entity", "One", {"size": 3}),
        ("2", "Entity", "2", {}),
        ("3", "Entity", "3", {}),
    ]
    assert [(edge.key, dict(edge.attributes)) for edge in edges] == [
        (("1", "near", "2"), {"km": 2.5}),
        (("2", "linked", "3"), {"days": ("2020-01-31",), "at": "10:30:00"}),
    ]
    assert {record.source for edge in edges for record in edge.provenance} == {"metro"}
    with pytest.raises(InputError, match="cannot be an attribute's value"):
        from_networkx(nx.DiGraph([("a", "b", {"x": object()})]))


def test_frames_of_anybody_become_a_graph() -> None:
    entities = pd.DataFrame({"key": ["a", "b"], "name": ["A", None], "size": [1.0, None]})
    edges = pd.DataFrame({"head": ["a"], "relation": ["r"], "tail": ["b"], "n": [3]})
    found, facts = from_pandas(entities, edges)
    assert [(e.name, dict(e.attributes)) for e in found] == [("A", {"size": 1.0}), ("b", {})]
    assert dict(facts[0].attributes) == {"n": 3}
    dated = entities.assign(seen=pd.to_datetime(["2020-01-31", None]))
    found_dated, _ = from_pandas(dated, edges)
    assert [e.attributes.get("seen") for e in found_dated] == ["2020-01-31T00:00:00", None]
    with pytest.raises(InputError, match="without the column 'tail'"):
        from_pandas(entities, edges.drop(columns="tail"))
    with pytest.raises(InputError, match="is not a text"):
        from_pandas(entities, edges.assign(tail=None))
    with pytest.raises(InputError, match="not a frame of pandas but NoneType"):
        from_pandas(None, edges)
    assert from_pandas(entities.iloc[:0], edges)[0] == []
    edge = Edge(
        head=EntityKey("a"),
        relation="r",
        tail=EntityKey("b"),
        attributes={"tail": 1},
        provenance=(Provenance(kind="asserted", source="f"),),
    )
    with pytest.raises(InputError, match="a column has that name"):
        to_pandas(filled(found, [edge]))


def test_what_rdflib_holds_and_no_store_can_is_an_error() -> None:
    graph = rdflib.Graph()
    graph.add((rdflib.URIRef("x:a"), rdflib.URIRef("x:p"), rdflib.Literal(10**30)))
    with pytest.raises(InputError, match="64 bits"):
        from_rdflib(graph)
