"""The bench of linking's speed on a made set: every part runs, and the page says what was found."""

from __future__ import annotations

import json
from pathlib import Path

from bench.linking_speed import main
from tests.linkers.boosted.made_world import entities, mentions, write


def test_every_part_is_measured_and_told(tmp_path: Path) -> None:
    write(tmp_path / "entities.jsonl.gz", entities())
    write(tmp_path / "made.jsonl.gz", mentions(200))
    sizes = ("--texts", 40, "--first", 300, "--mentions", 700, "--entities", 400)
    sizes += ("--added", 20, "--queries", 10, "--reranked", 2)
    where = ("--data", tmp_path, "--work", tmp_path / "work", "--out", tmp_path)
    how = ("--encoder", "tiny", "--sets", "made", "--trees", 10, "--workers", 1, "--here")
    assert main([str(word) for word in (*where, *how, *sizes)]) == 0
    found = json.loads((tmp_path / "linking-speed.json").read_text())
    assert found["text"]["from raw text"]["n"] == 40
    assert found["vectors"]["first"]["n"] + found["vectors"]["after"]["n"] == 700
    assert len(found["vectors"]["peak_mb"]) == 2
    assert found["many"]["finds the last that was added"]
    assert found["rerank"]["pairs_per_second"] > 0
    text = (tmp_path / "linking-speed.md").read_text()
    for heading in ("From raw text", "from pooled vectors", "400 entities", "Comparing tokens"):
        assert heading in text
