"""Whole graphs in and out: the steps, and the commands on bad input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.main import main
from api.engine import Engine
from api.steps.build import build_graph
from api.steps.export import export_graph
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from tests.api.world import WorldEngine
from tests.kg.rich_graphs import content


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Engine]:
    with Engine(Workspace(tmp_path / "copy"), store=MemoryStore()) as engine:
        yield engine


@pytest.mark.parametrize("name", ["world.ttl.gz", "world.jsonl"])
def test_the_world_goes_out_and_comes_back(
    world: WorldEngine, empty: Engine, tmp_path: Path, name: str
) -> None:
    out = export_graph(world, tmp_path / name)
    assert out["loses"] == ""
    back = build_graph(empty, tmp_path / name)
    assert (back["entities"], back["edges"], back["rejects"]) == (out["entities"], out["edges"], 0)
    assert content(empty.store) == content(world.store)


def test_rejects_lie_beside_the_graph(empty: Engine, tmp_path: Path) -> None:
    file = tmp_path / "bad.nt"
    file.write_text('<x:a> <x:p> "1" .\nnonsense\n<x:a> <x:r> <x:b> .\n')
    back = build_graph(empty, file)
    assert (back["entities"], back["edges"], back["rejects"]) == (2, 1, 1)
    assert json.loads(Path(back["rejects_file"]).read_text())["line"] == 2


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["export", "world.xls"], "the name tells no format"),
        (["export", "world.ttl", "--format", "xls"], "no format 'xls'"),
        (["build", "missing.ttl"], "no such file"),
        (["build", "missing.ttl", "--format", "turtle"], "no such file"),
        (["build", "missing.toml"], "no such mapping"),
        (["build", "missing.ttl", "--estimate"], "only the cost of a mapping"),
        (["build", "missing.csv", "--propose"], "no such file"),
        (["build", "text.txt", "--propose"], "tells no format"),
        (["build", "text.txt"], "neither its name nor its content"),
        (["build", "text.txt", "--format", "xls"], "no format 'xls'"),
    ],
)
def test_bad_input_is_told_and_leaves_nothing(
    command: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("a text")
    assert main([*command, "--folder", str(tmp_path / "work")]) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.glob("world*"))
    assert not (tmp_path / "work").exists(), "a store was started for nothing"
