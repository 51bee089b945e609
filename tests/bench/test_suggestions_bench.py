"""The bench of suggestions on a handful of concepts whose groups can be seen."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from bench.suggestions import summary
from bench.suggestions_methods import measured
from bench.suggestions_page import page
from bench.suggestions_sets import emoji_queries
from encoders import TinyTextEncoder


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
