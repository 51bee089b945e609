"""Graphs as real tools write them: everything arrives, under names that a store can hold."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import networkx as nx
import pytest
import rdflib

from kg.backends.memory import MemoryStore
from kg.backends.names import is_name, storable_names
from kg.errors import RecordError
from kg.formats.csv import read_csv
from kg.formats.records import Record
from kg.graph_formats import format_of
from kg.model import EdgeKey
from tests.kg.rich_graphs import read_back

GEPHI = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key attr.name="label" attr.type="string" for="node" id="label"/>
<key attr.name="Edge Label" attr.type="string" for="edge" id="edgelabel"/>
<key attr.name="Modularity Class" attr.type="int" for="node" id="modularity_class">
<default>7</default>
</key>
<key attr.name="x" attr.type="float" for="node" id="x"/>
<graph edgedefault="undirected">
<node id="11.0"><data key="label">Valjean</data><data key="modularity_class">1</data>
<data key="x">NaN</data></node>
<node id="48.0"><data key="label">Gavroche</data></node>
<edge id="1" source="11.0" target="48.0"><data key="edgelabel">looks after</data></edge>
</graph>
</graphml>
"""

YED = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:y="http://www.yworks.com/y">
<key for="node" id="d6" yfiles.type="nodegraphics"/><key for="edge" id="d10" yfiles.type="edge"/>
<graph id="G"><node id="n0"><data key="d6"><y:ShapeNode><y:NodeLabel> Start </y:NodeLabel>
</y:ShapeNode></data></node><node id="n1" yfiles.foldertype="group"><data key="d6"/>
<graph id="n1:"><node id="n1::n0"/></graph></node>
<edge source="n0" target="n1::n0"><data key="d10"><y:EdgeLabel>ends</y:EdgeLabel></data></edge>
</graph></graphml>
"""

APOC = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="born" for="node" attr.name="born" attr.type="long"/>
<key id="name" for="node" attr.name="name"/><key id="labels" for="node" attr.name="labels"/>
<key id="roles" for="edge" attr.name="roles" attr.type="string" attr.list="string"/>
<graph id="G" edgedefault="directed">
<node id="n0" labels=":Person:Actor"><data key="labels">:Person:Actor</data>
<data key="born">1964</data><data key="name">Keanu</data></node>
<node id="n1" labels=":Movie"></node>
<edge id="e0" source="n0" target="n1" label="ACTED_IN"><data key="roles">["Neo"]</data></edge>
</graph></graphml>
"""


def entities(store: MemoryStore) -> dict[str, tuple[str, str, Mapping[str, object]]]:
    return {one.key: (one.label, one.name, one.attributes) for one in store.entities()}


def edges(store: MemoryStore) -> dict[EdgeKey, Mapping[str, object]]:
    return {one.key: one.attributes for one in store.edges()}


def test_gephi_names_its_columns_as_no_store_can(tmp_path: Path) -> None:
    (tmp_path / "a.graphml").write_text(GEPHI)
    store, rejects = read_back(tmp_path / "a.graphml")
    assert entities(store) == {
        "11.0": ("Entity", "Valjean", {"label": "Valjean", "Modularity_Class": 1}),
        "48.0": ("Entity", "Gavroche", {"label": "Gavroche", "Modularity_Class": 7}),
    }
    assert edges(store) == {("11.0", "looks_after", "48.0"): {"Edge_Label": "looks after"}}
    assert [(one.column, one.reason) for one in rejects] == [("x", "'NaN' is not a finite number")]


def test_drawings_of_yed_are_read_for_their_labels(tmp_path: Path) -> None:
    (tmp_path / "a.graphml").write_text(YED)
    store, rejects = read_back(tmp_path / "a.graphml")
    assert rejects == []
    assert {key: name for key, (_, name, _) in entities(store).items()} == {
        "n0": "Start", "n1": "n1", "n1::n0": "n1::n0",
    }  # fmt: skip
    assert list(edges(store)) == [("n0", "ends", "n1::n0")]


def test_labels_and_lists_of_neo4js_graphml_arrive(tmp_path: Path) -> None:
    (tmp_path / "a.graphml").write_text(APOC)
    store, rejects = read_back(tmp_path / "a.graphml")
    assert rejects == []
    assert entities(store) == {
        "n0": ("Person", "Keanu", {"born": 1964, "types": ("Actor",)}),
        "n1": ("Movie", "n1", {}),
    }
    assert edges(store) == {("n0", "ACTED_IN", "n1"): {"roles": ("Neo",)}}


def test_a_network_on_one_line_arrives_with_its_defaults(tmp_path: Path) -> None:
    network = nx.MultiDiGraph(node_default={"colour": "red"}, edge_default={"w": 1})
    network.add_node(1, **{"my attr": "x", "my_attr": "y", "key": "k", "aliases": "ab", "ok": True})
    network.add_nodes_from((number, {"text": "t" * 9_000}) for number in range(2, 600))
    network.add_node(2, colour="blue")
    network.add_edge(1, 2, w=5)
    nx.write_graphml(network, tmp_path / "a.graphml", prettyprint=False)
    assert (tmp_path / "a.graphml").stat().st_size > 5_000_000
    store, rejects = read_back(tmp_path / "a.graphml")
    assert rejects == []
    assert entities(store)["1"][2] == {
        "my_attr_2": "x", "my_attr": "y", "key_": "k", "aliases_": "ab", "ok": True,
        "colour": "red",
    }  # fmt: skip
    assert len(entities(store)) == 599
    assert edges(store) == {("1", "related_to", "2"): {"w": 5}}


def test_a_folder_for_neo4j_may_have_many_files(tmp_path: Path) -> None:
    write = {
        "movies-header.csv": "movieId:ID(Movie-ID),title,year:int,tags:string[],:LABEL",
        "movies-part1.csv": 'm1,"The Matrix",1999,a;b,Movie',
        "movies-part2.csv": "m2,Reloaded,about 2003,,Movie;Sequel",
        "Actor.csv": "id:ID(Actor-ID),name,my prop,at:point{crs:WGS-84},x:IGNORE\nm1,Keanu,p,q,r",
        "roles.csv": ":START_ID(Actor-ID),role,:END_ID(Movie-ID),:TYPE\nm1,Neo,m2,ACTED IN",
        "KNOWS.csv": ":START_ID(Actor-ID),:END_ID(Actor-ID)\nm1,m1",
    }
    for name, text in write.items():
        (tmp_path / name).write_text(text + "\n")
    store, rejects = read_back(tmp_path)
    assert entities(store) == {
        "Movie-ID:m1": (
            "Movie",
            "The Matrix",
            {"movieId": "m1", "title": "The Matrix", "year": 1999, "tags": ("a", "b")},
        ),
        "Movie-ID:m2": (
            "Movie", "Reloaded", {"movieId": "m2", "title": "Reloaded", "types": ("Sequel",)},
        ),
        "Actor-ID:m1": ("Actor", "Keanu", {"id": "m1", "my_prop": "p", "at": "q"}),
    }  # fmt: skip
    assert edges(store) == {
        ("Actor-ID:m1", "ACTED_IN", "Movie-ID:m2"): {"role": "Neo"},
        ("Actor-ID:m1", "KNOWS", "Actor-ID:m1"): {},
    }
    assert [(one.file, one.line, one.column) for one in rejects] == [
        ("movies-part2.csv", 1, "year")
    ]


def test_a_folder_that_is_no_graph_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(RecordError, match="no column :ID"):
        read_back(tmp_path, "neo4j-admin")


def test_json_ld_of_rdflib_is_read(tmp_path: Path) -> None:
    graph, there = rdflib.Graph(), rdflib.Namespace("http://x/")
    graph.add((there.a, there.knows, there.b))
    graph.add((there.a, there["birth-year"], rdflib.Literal(1815)))
    graph.serialize(tmp_path / "a.jsonld", format="json-ld")
    store, rejects = read_back(tmp_path / "a.jsonld")
    assert rejects == []
    assert entities(store)["http://x/a"] == ("Entity", "a", {"birth_year": 1815})
    assert list(edges(store)) == [("http://x/a", "knows", "http://x/b")]


def test_a_list_of_rdf_is_a_chain(tmp_path: Path) -> None:
    (tmp_path / "a.ttl").write_text("@prefix e: <http://e/> . e:a e:items (e:x 5 e:y) .")
    store, rejects = read_back(tmp_path / "a.ttl")
    assert rejects == []
    network = nx.DiGraph((head, tail, {"by": name}) for head, name, tail in edges(store))
    chain = nx.shortest_path(network, "http://e/a", "http://e/y")
    assert [network.edges[pair]["by"] for pair in pairwise(chain)] == [
        "items", "rest", "rest", "first",
    ]  # fmt: skip
    assert network.has_edge(chain[1], "http://e/x")
    assert entities(store)[chain[2]][2] == {"first": 5}


def test_a_context_on_the_web_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonld").write_text('{"@context": "https://schema.org", "name": "A"}')
    with pytest.raises(RecordError, match="context is on the web"):
        read_back(tmp_path / "a.jsonld")


def test_old_and_foreign_items_of_wikidata_arrive(tmp_path: Path) -> None:
    def claim(value: object) -> dict[str, object]:
        data = {"type": "wikibase-entityid", "value": value}
        return {"rank": "normal", "mainsnak": {"snaktype": "value", "datavalue": data}}

    items = [
        {
            "type": "item",
            "id": "Q1",
            "labels": {"de": {"language": "de", "value": "Hügel"}},
            "claims": {"P31": [claim({"entity-type": "item", "numeric-id": 2})]},
        },
        {"type": "item", "id": "Q2", "labels": {}, "claims": {}},
    ]
    filler = {"x" * 5_000: 0}  # claims stand behind what tells the format
    file = tmp_path / "dump.json"
    file.write_text("[\n" + ",\n".join(json.dumps({**filler, **item}) for item in items) + "\n]\n")
    with gzip.open(tmp_path / "other.json.gz", "wt") as packed:
        packed.write("[\n" + json.dumps(items[0] | filler) + "\n]\n")
    assert format_of(tmp_path / "other.json.gz").name == "wikidata"
    store, rejects = read_back(file, "wikidata")
    assert rejects == []
    assert {key: name for key, (_, name, _) in entities(store).items()} == {
        "Q1": "Hügel", "Q2": "Q2",
    }  # fmt: skip
    assert list(edges(store)) == [("Q1", "P31", "Q2")]


def test_a_benchmarks_folder_becomes_a_graph(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("/m/1\t/tv/a.b\t/m/2\n/m/2\tknows\t/m/3\n")
    (tmp_path / "test.txt").write_text("/m/1\t/tv/a/b\t/m/3\n")
    with gzip.open(tmp_path / "entities.jsonl.gz", "wt") as file:
        file.write('{"key": "/m/1", "label": "One"}\n')
    with gzip.open(tmp_path / "numeric.tsv.gz", "wt") as file:
        file.write("/m/1\tborn in\t1815\n")
    store, rejects = read_back(tmp_path)
    assert rejects == []
    assert entities(store) == {
        "/m/1": ("Entity", "One", {"born_in": 1815.0}),
        "/m/2": ("Entity", "/m/2", {}),
        "/m/3": ("Entity", "/m/3", {}),
    }
    assert edges(store) == {
        ("/m/1", "tv_a_b", "/m/2"): {"written": "/tv/a.b"},
        ("/m/1", "tv_a_b_2", "/m/3"): {"written": "/tv/a/b"},
        ("/m/2", "knows", "/m/3"): {},
    }


def test_pandas_index_is_a_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(",name\n0,Ada\n")
    [row] = read_csv(tmp_path / "a.csv")
    assert isinstance(row, Record)
    assert row.fields == {"column_1": "0", "name": "Ada"}


def test_every_text_gets_a_name_of_its_own() -> None:
    texts = ["a b", "a-b", "a_b", "_records", "", "1", "n" * 300, "n" * 400, "key", "关系 一"]
    names = storable_names(texts, taken=["key"])
    assert list(names) == texts
    assert all(map(is_name, names.values()))
    assert len(set(names.values()) - {"key"}) == len(texts)
    assert names["a_b"] == "a_b"
