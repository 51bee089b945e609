"""The bench of methods on texts runs on a made set; what it has done it does not do again."""

from __future__ import annotations

import json
from pathlib import Path

from bench.linking_text_distilled import STUDENTS
from bench.linking_text_methods import PARTS, main
from bench.linking_text_moved import KINDS
from bench.linking_text_strangers import BASELINES, DECISIONS
from bench.linking_text_training import VARIANTS
from tests.linkers.boosted.made_world import entities, mentions, write


def test_methods_are_judged_on_texts_and_told(tmp_path: Path) -> None:
    write(tmp_path / "entities.jsonl.gz", entities())
    write(tmp_path / "wikidiverse.jsonl.gz", mentions(240))
    where = ("--data", tmp_path, "--work", tmp_path / "work", "--pooled", tmp_path / "pooled")
    more = ("--out", tmp_path, "--encoder", "tiny", "--seeds", 0, "--sets", "wikidiverse")
    small = ("--epochs", 1, "--trees", 10)
    given = [str(word) for word in (*where, *more, *small)]
    assert main(given) == 0
    kept = json.loads((tmp_path / "linking-text-methods.json").read_text(encoding="utf-8"))
    found = {part: kept[part]["wikidiverse"]["rows"] for part in PARTS}
    text = (tmp_path / "linking-text-methods.md").read_text(encoding="utf-8")

    plain, pushed = (found["moved"][kind] for kind in KINDS)
    assert plain["gain"] == [0.0, 0.0, 0.0]
    assert 0 < pushed["hits_at_1"] <= pushed["recall"] <= 100

    assert set(found["training"]) == set(VARIANTS)
    assert found["training"]["as the linker has it"]["gain"] == [0.0, 0.0, 0.0]
    assert text.count("| with views and local terms | ") == 1

    strangers = found["strangers"]
    assert set(strangers) == {*DECISIONS, *BASELINES}
    linker = strangers["the linker's decision"]
    assert "auroc_gain" not in linker
    assert 0 < linker["hits_at_1"] <= 100
    marked = strangers["the linker's, foreign words as a mark"]
    assert marked["hits_at_1"] == linker["hits_at_1"]  # marks judge a list and order it not

    distilled = found["distilled"]
    assert set(distilled) == set(STUDENTS)
    for row in distilled.values():
        for source in ("recall", "union"):
            assert row[f"{source} 8"][0] <= row[f"{source} 16"][0] <= row[f"{source} 64"][0]
    assert "The teacher alone, over all entities" in text

    (tmp_path / "wikidiverse.jsonl.gz").unlink()
    kept_parts = [*given, "--parts"]
    assert main(kept_parts) == 0  # the page alone
    assert (tmp_path / "linking-text-methods.md").read_text(encoding="utf-8") == text
