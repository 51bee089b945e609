"""The bench of questions about parts runs on made images and counts what it found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import scenes_questions
from tests.scenes.relation_files import rows, write_rows, write_vocabulary

QUESTION = (
    "MATCH (i:Image)-[:has_part]->(p:Part)-[:has_label]->(:Class {key: 'class:person'})\n"
    "MATCH (p)-[:under]->(t:Part)-[:has_label]->(:Class {key: 'class:table'})\n"
    "RETURN i"
)


def test_the_bench_writes_its_figures_and_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    write_vocabulary(folder / "vocabulary.json")
    write_rows(folder / "train.jsonl.gz", rows(120, seed=1))
    write_rows(folder / "test.jsonl.gz", rows(30, seed=2))
    monkeypatch.setattr(scenes_questions, "QUESTIONS", {"a person is under a table": QUESTION})
    work, out = tmp_path / "work", tmp_path / "out"
    given = [str(folder), "--work", str(work), "--out", str(out)]
    assert scenes_questions.main([*given, "--kind", "prior", "--text-encoder", "tiny"]) == 0
    row = json.loads((out / "scenes-questions.json").read_text())["questions"]
    found = row["a person is under a table"]
    assert found["known"] > 0 == found["known_false"]
    assert found["likely"] >= found["likely_right"] > 0
    assert "| a person is under a table | " in (out / "scenes-questions.md").read_text()
    for status in ("known", "likely"):
        assert b"<svg" in (out / f"scenes-questions-{status}.svg").read_bytes()[:200]
    capsys.readouterr()
