"""The README's way to a first own answer, word for word, but for what sets the machine up."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.main import main
from api.workspace import Workspace
from bench.first_answer import commands
from kg.launcher import attach, stop_store
from reasoning.predictors.embeddings.config import ComplexConfig
from tests.api.tiny_world import HEAP
from tests.meta.test_guides import DOCS, blocks

EXAMPLE = DOCS.parent / "examples" / "people"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the example's folder."""
    shutil.copytree(EXAMPLE, tmp_path / "people", ignore=shutil.ignore_patterns(".umbra"))
    monkeypatch.chdir(tmp_path / "people")
    monkeypatch.delenv("UMBRA_FOLDER", raising=False)
    graph = Workspace(tmp_path / "people" / ".umbra").graph
    hold = attach(graph, HEAP)
    yield tmp_path
    hold.close()
    stop_store(graph)


@pytest.mark.usefixtures("place")
def test_the_commands_lead_to_the_answer_that_the_readme_tells(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ComplexConfig.__init__.__kwdefaults__, "epochs", 8)
    lines = commands()
    assert lines[:3] == ["make setup", "source .venv/bin/activate", "cd examples/people"]
    assert lines[-1] == "umbra serve"
    for line in lines[3:-1]:
        assert main(shlex.split(line)[1:]) == 0, line
    printed = capsys.readouterr().out
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"`umbra ask` answers (.+?), each with", readme)
    for name in told.split(" and "):
        assert re.search(rf"{name}  \[person:\d\]\n.*knows.csv, row \d", printed)


def test_the_tables_are_those_of_the_guide() -> None:
    shown = {block["text"] for block in blocks("bring-your-own-graph")}
    for name in ("people.csv", "knows.csv", "graph.toml"):
        assert (EXAMPLE / name).read_text(encoding="utf-8") in shown
