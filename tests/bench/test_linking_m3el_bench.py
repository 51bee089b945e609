"""The bench of M3EL's text unit runs on a made set and says what it found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.linking_m3el import VARIANTS, main
from tests.linkers.boosted.made_world import entities, mentions, write


def test_the_bench_writes_its_figures_and_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "entities.jsonl.gz", entities())
    write(tmp_path / "wikidiverse.jsonl.gz", mentions(120))
    out = tmp_path / "out"
    given = ["--data", tmp_path, "--work", tmp_path / "work", "--out", out, "--encoder", "tiny"]
    more = ["--sets", "wikidiverse", "--seeds", 0, "--epochs", 1]
    assert main([str(word) for word in [*given, *more]]) == 0
    page = (out / "linking-m3el.md").read_text(encoding="utf-8")
    for variant in VARIANTS:
        assert f"| {variant} | 1 |" in page
    assert "- text unit, chosen on valid, against cosine" in page
    figures = json.loads((out / "linking-m3el.json").read_text(encoding="utf-8"))
    found = figures["wikidiverse"]["hits_at_1"]
    assert 0 < found["test"]["cosine, surface"][0] < 1
    assert found["test"]["without ICL"] == []  # judged on valid alone
    before = page
    assert main([str(word) for word in [*given, *more]]) == 0
    assert (out / "linking-m3el.md").read_text(encoding="utf-8") == before
    capsys.readouterr()
