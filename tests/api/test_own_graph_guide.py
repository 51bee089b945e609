"""The guide to one's own graph, word for word: its files, its commands, what it says they do."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.main import main
from tests.api.reader_folder import reading_in
from tests.meta.test_guides import DOCS, blocks

GUIDE = "bring-your-own-graph"
FILE = re.compile(r"`([a-z.]+)`:\n\n```(?:csv|toml)\n(.*?)```", re.DOTALL)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the files that the guide shows."""
    text = (DOCS / f"{GUIDE}.md").read_text(encoding="utf-8")
    for name, content in FILE.findall(text):
        (tmp_path / name).write_text(content, encoding="utf-8")
    with reading_in(tmp_path, monkeypatch) as folder:
        yield folder


def test_the_guide_runs_word_for_word(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {path.name for path in place.glob("*.*")} >= {"people.csv", "knows.csv", "graph.toml"}
    printed: list[str] = []
    for block in blocks(GUIDE):
        if block["kind"] == "sh":
            for line in block["text"].splitlines():
                assert main(shlex.split(line)[1:]) == 0, line
                printed.append(capsys.readouterr().out)
        elif block["kind"] == "text":
            assert set(block["text"].splitlines()) <= set(printed[-1].splitlines())
    for answer in printed[2:4]:
        found = [line.strip('"') for line in answer.splitlines() if "a" in line]
        assert found[-2:] == ["Ada Lovelace", "Charles Babbage"]
    rejects = (place / ".umbra" / "rejects" / "graph.jsonl").read_text().splitlines()
    text = (DOCS / f"{GUIDE}.md").read_text(encoding="utf-8")
    for row in map(json.loads, rejects):
        shown = f"| {row['file']} | {row['line']} | {row['column']} | {row['reason']} |"
        assert shown in text
    assert (place / "people.ttl").stat().st_size
