"""The guide to provenance and undo, word for word: its files, its commands, what they print."""

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

TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+Z")
FILE = re.compile(r"`([a-z.]+)`:\n\n```(?:csv|toml)\n(.*?)```", re.DOTALL)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the files that the guide shows."""
    for name, content in FILE.findall((DOCS / "undo.md").read_text(encoding="utf-8")):
        (tmp_path / name).write_text(content, encoding="utf-8")
    with reading_in(tmp_path, monkeypatch) as folder:
        yield folder


def run(line: str) -> int:
    words: list[str] = []
    for word in shlex.split(line)[1:]:
        words += sorted(map(str, Path().glob(word))) if "*" in word else [word]
    return main(words)


def squeezed(text: str) -> list[str]:
    text = TIME.sub("TIME", text)
    return [" ".join(line.split()) for line in text.splitlines() if not line.startswith("--")]


def test_the_guide_runs_word_for_word(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {path.name for path in place.glob("*.*")} >= {"registry.csv", "gossip.csv"}
    printed: list[list[str]] = []
    shown = 0
    for block in blocks("undo"):
        if block["kind"] == "sh":
            printed.clear()
            for line in block["text"].splitlines():
                assert run(line) == 0, line
                printed.append(squeezed(capsys.readouterr().out))
        elif block["kind"] == "text" and printed:
            wanted = squeezed(block["text"])
            assert wanted in printed
            shown += 1
        elif block["kind"] == "python":
            printed.clear()
    assert shown == 5
    assert run("umbra graph history person:3 --json") == 0
    events = json.loads(capsys.readouterr().out)["events"]
    assert [event["event"] for event in events] == [
        "a source said so", "a source said so", "it was taken back", "it was taken back",
    ]  # fmt: skip
    assert events[-1]["at"] > "2026"
    assert run("umbra graph undo --source gossip.csv --yes --json") == 0
    assert json.loads(capsys.readouterr().out)["entities_gone"] == 1
    assert run("umbra build graph.toml") == 0  # is not taken for done, and brings it back too
    capsys.readouterr()
    assert run("umbra graph diff before.umbra.zip store --json") == 0
    found = json.loads(capsys.readouterr().out)
    for kind in ("entities", "edges"):
        counts = [found[kind][name] for name in ("added", "removed", "changed")]
        assert counts == [0, 0, 0]
