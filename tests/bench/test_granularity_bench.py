"""The bench of granularities: what is gold, what is counted, and what its page says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from api.engine import Engine
from api.settings import Settings
from api.workspace import Workspace
from bench.granularity import BUDGETS, by_country, measured, summary
from bench.granularity_page import page
from bench.granularity_sets import LAYOUTS, asked_of, graph
from kg.backends.memory import MemoryStore

PROSE = {
    "background": "Settlers from distant islands founded seven fishing villages there in 1650. "
    "Merchants built large stone harbours along the northern coast. "
    "Farmers rebelled against heavy colonial taxes during winter of 1790.",
    "climate": "mild and wet",
    "religions": "none told",
}
PAGES = [("AA", "Aaland", PROSE), ("BB", "Borduria", PROSE), ("CC", "Syldavia", PROSE)]
RESULT = Path(__file__).parents[2] / "docs" / "benchmarks" / "granularity.json"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gold_is_where_the_bench_says_and_a_large_budget_covers_it(
    layout: str, tmp_path: Path
) -> None:
    entities, begins = graph(PAGES, layout)
    asked = list(asked_of(PAGES, seed=0))
    assert {one.kind for one in asked} == {"field", "fact", "keywords", "whole"}
    held = {entity.key: entity.attributes for entity in entities}
    for one in asked:
        attribute, base = begins[one.country, one.field]
        text = str(held[one.country][attribute])
        gold = text[base + one.start : base + one.end]
        assert gold == PROSE[one.field][one.start : one.end]
    store = MemoryStore()
    store.upsert_entities(entities)
    engine = Engine(Workspace(tmp_path), settings=Settings(), store=store)
    rows = list(measured(engine, layout, asked, begins))
    assert len(rows) == len(asked)
    for row in rows:
        for name in ("before", "sentence", "passage", "page"):
            shares = [share for share, _ in row[name]]
            assert len(shares) == len(BUDGETS)
            assert all(0 <= share <= 1 for share in shares)
        assert row["page"][-1][0] == row["passage"][-1][0] == 1
        row["auto"] = row["page"]
    assert summary(rows)["gaps"]["page"] == [0, 0, 0]
    assert len(by_country(rows, "auto")) == len(PAGES)


def test_each_country_and_each_kind_counts_the_same() -> None:
    rows = [
        {"country": "a", "kind": "field", "page": [[1.0, 0.0]]},
        {"country": "a", "kind": "field", "page": [[0.0, 0.0]]},
        {"country": "a", "kind": "fact", "page": [[1.0, 0.0]]},
        {"country": "b", "kind": "fact", "page": [[0.25, 0.0]]},
    ]
    assert np.allclose(by_country(rows, "page"), [0.75, 0.25])


def test_the_page_is_that_of_its_result() -> None:
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    assert RESULT.with_suffix(".md").read_text(encoding="utf-8") == page(result)
    best = max(("sentence", "passage", "page"), key=lambda name: result["valid"]["means"][name])
    wins = result["test"]["gaps"][best][0] > 0
    assert result["default"] == ("auto" if wins else best)
