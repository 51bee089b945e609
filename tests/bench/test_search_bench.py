"""The bench of search runs on a handful of entities, and its gains are the formulas."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import pytest

from api.search.reranking import Reranker
from api.search.routing import Router
from bench.search import gains, measured
from bench.search_demo import fact_queries
from bench.search_demo import measured as measured_on_the_demo
from bench.search_demo import page as demo_page
from bench.search_lists import lists_of
from bench.search_page import page
from bench.search_sets import fb15k_sets, masked
from encoders import TinyTextEncoder
from kg.backends.memory import MemoryStore
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance

NAMES = [
    "Peru",
    "Chile",
    "Bolivia",
    "France",
    "Spain",
    "Germany",
    "Turkey",
    "Iran",
    "India",
    "Guinea",
    "Kenya",
    "Uganda",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with gzip.open(tmp_path / "entities.jsonl.gz", "wt", encoding="utf-8") as file:
        for n, name in enumerate(NAMES):
            row = {"key": f"/m/{n}", "label": name, "aliases": [f"{name}land", f"Old {name}"],
                   "description": f"{name} is country number {n} of a short list"}  # fmt: skip
            file.write(json.dumps(row) + "\n")
    with gzip.open(tmp_path / "train.tsv.gz", "wt", encoding="utf-8") as file:
        for n in range(1, len(NAMES)):
            file.write(f"/m/{n - 1}\t/near/by\t/m/{n}\n")
    return tmp_path


def test_gains_of_one_relevant_entity() -> None:
    ranked = [EntityKey(str(n)) for n in range(20)]
    assert gains(ranked, EntityKey("0")) == (1.0, 1.0)
    assert gains(ranked, EntityKey("2")) == (pytest.approx(1 / math.log2(4)), pytest.approx(1 / 3))
    assert gains(ranked, EntityKey("10")) == (0.0, pytest.approx(1 / 11))
    assert gains(ranked, EntityKey("x")) == (0.0, 0.0)


def test_masking_leaves_no_name() -> None:
    assert masked("Peru, in the Andes: Péru!", ["Peru"]) == "in the Andes"


def test_the_whole_bench_on_a_few_entities(folder: Path) -> None:
    sets = list(fb15k_sets(folder, 0))
    assert [one.name for one in sets] == ["facts", "prose", "names"]
    for one in sets:
        golds = {split: {q.gold for q in asked} for split, asked in one.queries.items()}
        assert not golds["valid"] & golds["test"]
    for asked in sets[0].queries["test"]:
        name = NAMES[int(asked.gold.rpartition("/")[2])]
        assert name not in asked.text
    rows = json.loads(json.dumps([*lists_of(sets, TinyTextEncoder(), None)]))
    router, reranker, found = measured(rows)
    assert Reranker.of_json(json.loads(json.dumps(reranker.as_json()))) == reranker
    assert Router.of_json(found["router"]) == router
    assert router.kinds == ("facts", "names", "prose")
    result = {"commit": "c", "date": "d", "machine": {"cores": 1}, "seed": 0, "constant": 5,
              "command": "x", **found}  # fmt: skip
    written = page(result)
    for one in sets:
        assert 0 <= found["test"][one.name]["scores"]["routed"]["mrr"] <= 1
        assert f"| {one.name} |" in written
    on_the_demo = measured_on_the_demo(rows)  # by what is shipped: nothing is fitted
    assert on_the_demo.keys() == found["test"].keys()
    assert "| prose |" in demo_page({**result, "test": on_the_demo})


def test_facts_that_are_asked_for_hold_for_one_country_alone() -> None:
    store = MemoryStore()
    keys = [EntityKey(f"country:{n}") for n in range(6)]
    tails = [EntityKey(f"language:{n}") for n in range(3)]
    store.upsert_entities(Entity(key=key, label="X", name=key.upper()) for key in (*keys, *tails))
    said = (Provenance(kind="asserted", source="a map"),)
    spoken = {0: "01", 1: "12", 2: "02", 3: "01", 4: "012", 5: "0"}
    store.upsert_edges(
        Edge(head=keys[n], relation="speaks", tail=tails[int(one)], provenance=said)
        for n, of in spoken.items()
        for one in of
    )
    asked = {one.gold: one.text for one in fact_queries(store, 0)}
    assert asked.keys() == {keys[4]}  # all others share their pairs
    assert sorted(asked[keys[4]].split(", ")) == [f"speaks LANGUAGE:{n}" for n in range(3)]
