"""Missing numbers from Python and by `umbra ask --number`: known, predicted, or refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from api.cli.main import main
from api.engine import Engine
from api.schemas import NumberOut
from api.workspace import Workspace
from kg.snapshot import save_snapshot
from tests.reasoning.predictor_world import WORLD

LACKS, TRUTH = "country:19", 60.0 + 3
Shown = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder whose graph lacks one longitude."""
    workspace = Workspace(tmp_path_factory.mktemp("numbers") / ".umbra")
    column = dict(WORLD.attributes["longitude"])
    assert column.pop(WORLD.entity_id(LACKS)) == TRUTH
    attributes = dict(WORLD.attributes) | {"longitude": column, "colour": {0: "red"}}
    save_snapshot(dataclasses.replace(WORLD, attributes=attributes), workspace.snapshot("full"))
    return workspace.folder


def umbra(shown: Shown, folder: Path, *arguments: str) -> tuple[int, str, str]:
    shown.readouterr()
    code = main(["ask", "--folder", str(folder), *arguments])
    printed = shown.readouterr()
    return code, printed.out, printed.err


def test_what_the_graph_holds_is_known(folder: Path, capsys: Shown) -> None:
    code, out, _ = umbra(capsys, folder, "--number", "C20", "longitude")
    assert (code, out) == (0, "longitude of C20 [country:20]: 64 (known)\n")


def test_what_is_missing_is_predicted_with_an_interval(folder: Path, capsys: Shown) -> None:
    code, out, _ = umbra(capsys, folder, "--number", LACKS, "longitude", "--coverage", "0.8")
    assert code == 0
    first, second, *reasons = out.splitlines()
    assert first.startswith(f"longitude of C19 [{LACKS}]: about ")
    assert second.startswith("between ")
    assert second.endswith("in 80 % of cases")
    assert any("in_block" in reason for reason in reasons)
    printed = umbra(capsys, folder, "--number", LACKS, "longitude", "--json")[1]
    found = NumberOut.model_validate(json.loads(printed))
    assert (found.status, found.coverage) == ("predicted", 0.9)
    assert found.low < TRUTH < found.high
    with Engine.open(folder) as engine:
        assert engine.number("C19", "longitude") == found


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--number", "lang:1", "longitude"), "no Language has a number 'longitude'"),
        (("--number", LACKS, "colour"), "too few"),
        (("--number", LACKS, "longtude"), "did you mean 'longitude'"),
        (("--number", "Atlantis", "longitude"), "Atlantis"),
        (("--number", LACKS, "longitude", "--coverage", "0.999"), "ask for at most"),
        (("--number", LACKS, "longitude", "--coverage", "1.5"), "not between 0 and 1"),
        (("--number", "C20", "longitude", "--coverage", "1.5"), "not between 0 and 1"),
        (("--number", LACKS, "longitude", "a question"), "is needed"),
    ],
)
def test_where_nothing_allows_it_the_reason_is_told(
    folder: Path, capsys: Shown, arguments: tuple[str, ...], words: str
) -> None:
    code, out, line = umbra(capsys, folder, *arguments)
    assert (code, out) == (2, "")
    assert words in line
    assert line.count("\n") == 1
