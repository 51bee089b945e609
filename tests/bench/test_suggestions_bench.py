"""The bench of suggestions on a handful of concepts whose groups can be seen."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

import bench.suggestions_speed as speed
from bench.suggestions import summary
from bench.suggestions_methods import measured
from bench.suggestions_page import page
from bench.suggestions_sets import emoji_queries
from encoders import TinyTextEncoder
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import build_snapshot
from reasoning.known_edges import KnownEdges, known_edges


def test_a_fact_that_is_the_group_leads_to_it(tmp_path: Path) -> None:
    groups = {"cat": ["paw"] * 5, "ship": ["sail"] * 6, "odd": ["sail", "paw"]}
    with gzip.open(tmp_path / "emoji.jsonl.gz", "wt", encoding="utf-8") as file:
        for group, words in groups.items():
            for n, word in enumerate(words):
                row = {
                    "entity_id": f"{group}{n}", "name": f"{group} {n}", "subcategory": group,
                    "tags": ["white", word], "keywords": [],
                }  # fmt: skip
                file.write(json.dumps(row) + "\n")
    (asked,) = emoji_queries(tmp_path / "emoji.jsonl.gz", TinyTextEncoder())
    assert (asked.text, len(asked.results), len(asked.groups)) == ("white", 13, 2)
    rows = list(measured(asked))
    assert [row["ours"]["fact"] for row in rows] == ["paw", "sail"]
    for row, size in zip(rows, (5, 6), strict=True):
        # the fact holds for the group and one more, whose place among them vectors decide
        assert row["ours"]["closed_recall"] in (1.0, pytest.approx((size - 1) / size))
        assert row["ours"]["ap"] >= size / (size + 1)
        assert row["unchanged"]["closed_recall"] <= 1
    found = summary(rows)
    assert found["ours"]["duplicates"] == 0
    assert found["unchanged"]["duplicates"] == 0.5
    result = {
        "commit": "c", "date": "d", "machine": {"cores": 1}, "seed": 0, "command": "x",
        "sets": {"emoji, test": found},
    }  # fmt: skip
    assert "2 groups of 1 queries" in page(result)


def test_the_speed_is_taken_of_checked_suggestions() -> None:
    edges = random_world(entities=60, seed=1)
    found = speed.measured(edges, (10, 50), rounds=2, seed=0)
    assert set(found) == {"10", "50"}
    assert all(0 < row["median_ms"] <= row["slowest_ms"] for row in found.values())


def random_world(*, entities: int, seed: int) -> KnownEdges:
    draw = random.Random(seed)
    told = (Provenance(kind="asserted", source="drawn"),)
    keys = [EntityKey(f"e{number:02}") for number in range(entities)]
    nodes = [Entity(key=key, label="X", name=key) for key in keys]
    roads = {(draw.choice(keys), draw.choice(keys[:5])) for _ in range(3 * entities)}
    edges = [Edge(head=a, relation="near", tail=b, provenance=told) for a, b in sorted(roads)]
    return known_edges(build_snapshot(nodes, edges))
