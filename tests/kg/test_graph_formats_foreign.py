"""Files that other programs wrote: Wikidata's dump, GraphML, XML with a broken line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import networkx as nx

from kg.backends.memory import MemoryStore
from kg.graph_formats import write_graph
from kg.importing import import_graph
from kg.ledger import Ledger
from kg.model import EntityKey
from tests.kg.rich_graphs import (
    content,
    read_back,
    small,
)


def snak(kind: str, value: object, rank: str = "normal") -> dict[str, object]:
    main = {"snaktype": "value", "datavalue": {"type": kind, "value": value}}
    return {"mainsnak": main, "rank": rank}


def test_a_dump_of_wikidata_is_read(tmp_path: Path) -> None:
    text = {"language": "en", "value": "Ada"}
    items: list[object] = [
        {
            "type": "item",
            "id": "Q1",
            "labels": {"en": text},
            "descriptions": {"en": {"value": "a mathematician"}},
            "aliases": {"en": [{"value": "Countess"}]},
            "claims": {
                "P31": [snak("wikibase-entityid", {"id": "Q5"})],
                "P21": [snak("wikibase-entityid", {"id": "Q404"})],
                "P569": [snak("time", {"time": "+1815-12-10T00:00:00Z"})],
                "P2048": [
                    snak("quantity", {"amount": "+1.65"}, "preferred"),
                    snak("quantity", {"amount": "+9"}),
                    snak("quantity", {"amount": "+8"}, "deprecated"),
                ],
                "P18": [{"mainsnak": {"snaktype": "novalue"}, "rank": "normal"}],
                "P1": [snak("string", "a"), snak("monolingualtext", {"text": "b"})],
                "P625": [snak("globecoordinate", {"latitude": 1.5, "longitude": 2})],
                "P 9": [snak("wikibase-entityid", {"id": "Q5"})],
            },
        },
        {"type": "item", "id": "Q2", "claims": {"P2048": [snak("quantity", {"amount": "much"})]}},
        {"type": "item", "id": "Q5", "labels": [], "aliases": [], "claims": []},
    ]
    lines = [json.dumps(item) for item in items]
    lines.insert(1, '{"type": "item", "id": "Q9", "claims"')
    file = tmp_path / "dump.json.gz"
    file.write_bytes(gzip.compress(("[\n" + ",\n".join(lines) + "\n]\n").encode()))
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        store = MemoryStore()
        report = import_graph(store, file, ledger=ledger, rejects=tmp_path / "rejects")
    ada = store.entity(EntityKey("Q1"))
    assert ada is not None
    assert (ada.label, ada.name, ada.aliases) == ("Item", "Ada", ("Countess",))
    assert ada.attributes == {
        "P569": "1815-12-10",
        "P2048": 1.65,
        "P1": ("a", "b"),
        "P625": "1.5 2",
        "description": "a mathematician",
    }
    assert [entity.name for entity in store.entities()] == ["Ada", "Q5"]
    assert [edge.key for edge in store.edges()] == [("Q1", "P31", "Q5")]
    told = [json.loads(line) for line in (tmp_path / "rejects").read_text().splitlines()]
    assert [(reject["line"], reject["reason"][:22]) for reject in told] == [
        (2, "'P 9' cannot be a rela"),
        (3, 'not JSON: \'{"type": "i'),
        (4, "not an item of Wikidat"),
        (2, "there is no entity 'Q4"),
    ]
    assert report.rejects == 4


def test_graphml_of_others_is_read(tmp_path: Path) -> None:
    file = tmp_path / "metro.xml"
    network = nx.DiGraph(name="metro")
    network.add_node("a", label="Alpha", size=3, weight=0.5, open=True)
    network.add_edge("a", "b", label="leads_to", minutes=4)
    network.add_edge("b", "a")
    nx.write_graphml(network, file)
    store, rejects = read_back(file)
    assert rejects == []
    assert store.entity(EntityKey("a")).name == "Alpha"
    assert dict(store.entity(EntityKey("a")).attributes) == {
        "label": "Alpha",
        "size": 3,
        "weight": 0.5,
        "open": True,
    }
    assert {edge.key: dict(edge.attributes) for edge in store.edges()} == {
        ("a", "leads_to", "b"): {"minutes": 4},
        ("b", "related_to", "a"): {},
    }


def test_a_broken_line_of_xml_costs_only_itself(tmp_path: Path) -> None:
    file = tmp_path / "graph.rdf"
    write_graph(small(), file)
    rows = file.read_text().splitlines()
    number = next(number for number, row in enumerate(rows) if ">14<" in row)
    rows[number] = rows[number].replace(">14<", ">14<<")
    file.write_text("\n".join(rows))
    back, rejects = read_back(file)
    assert [(reject.line, reject.text) for reject in rejects] == [(number + 1, rows[number])]
    assert content(back)[1] == content(small())[1]
    sizes = {entity.key: entity.attributes.get("size") for entity in back.entities()}
    assert sizes == {f"e:{n:02}": None if n == 14 else n for n in range(30)}
