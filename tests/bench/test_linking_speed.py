"""The bench of linking's speed on a made set: every part runs, and the page says what was found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from bench import linking_decisions
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
    _compare_decisions(where[:4], tmp_path)


def _compare_decisions(where: tuple[object, ...], folder: Path) -> None:
    """The same linker decides alike; one whose first two candidates change places does not."""
    paths = [folder / f"{name}.npz" for name in ("one", "other", "changed")]
    how = ("--encoder", "tiny", "--sets", "made", "--mentions", 260, "--seen", 40)
    for path in paths[:2]:
        words = ("write", path, *where, *how)
        assert linking_decisions.main([str(word) for word in words]) == 0
    assert linking_decisions.main(["compare", *map(str, paths[:2])]) == 0
    arrays = dict(np.load(paths[0]))
    arrays["ids"][:2] = arrays["ids"][1::-1]
    np.savez(paths[2], **arrays)
    assert linking_decisions.main(["compare", str(paths[0]), str(paths[2])]) == 1
