"""The bench of linking runs on a made set and says what it found."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.linking import main, name_of
from evaluation import read_result
from tests.linkers.boosted.made_world import entities, mentions, write


def test_the_bench_writes_its_results_and_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "entities.jsonl.gz", entities())
    write(tmp_path / "wikidiverse.jsonl.gz", mentions(150))
    out = tmp_path / "out"
    given = ["--data", tmp_path, "--work", tmp_path / "work", "--out", out, "--encoder", "tiny"]
    more = ["--sets", "wikidiverse", "--seeds", 0, 1, "--trees", 4]
    assert main([str(word) for word in [*given, *more]]) == 0
    page = (out / "linking.md").read_text(encoding="utf-8")
    result = read_result(out / name_of("wikidiverse", "memory", 1))
    assert result.seed == 1
    assert "| with memory | " in page
    assert "| without memory | " in page
    assert "memory on all mentions" in page
    assert "entities taken out of the base (draws: 2)" in page
    assert f"Mentions: {result.n:,} (" in page
    before = page
    assert main([str(word) for word in [*given, *more]]) == 0
    assert (out / "linking.md").read_text(encoding="utf-8") == before
    capsys.readouterr()
