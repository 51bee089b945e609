"""`umbra facts`: what the explorer's buttons do, at the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import api.engine
from api.cli.main import main
from kg.model import EntityKey
from tests.api.world import WorldEngine, open_world

Shown = pytest.CaptureFixture[str]
EDGE = ("Greece", "borders", "country:GE")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorldEngine]:
    """A small world that the command opens and leaves open."""
    with open_world(tmp_path / ".umbra") as engine:

        class Opened:
            @staticmethod
            def open(_folder: Path | None) -> Opened:
                return Opened()

            def __enter__(self) -> WorldEngine:
                return engine

            def __exit__(self, *_error: object) -> None: ...

        monkeypatch.setattr(api.engine, "Engine", Opened)
        yield engine


def held(engine: WorldEngine) -> list[str]:
    edges = engine.store.edges(
        head=EntityKey("country:GR"), relation="borders", tail=EntityKey("country:GE")
    )
    return [record.source for edge in edges for record in edge.provenance]


def test_a_fact_is_accepted_listed_and_taken_back(engine: WorldEngine, capsys: Shown) -> None:
    assert main(["facts", "accept", *EDGE, "--who", "ada", "--comment", "seen on a map"]) == 0
    assert held(engine) == ["ada"]
    capsys.readouterr()
    assert main(["facts", "list", "--json"]) == 0
    (fact,) = json.loads(capsys.readouterr().out)["facts"]
    assert (fact["head"], fact["verdict"], fact["comment"]) == (
        "country:GR", "accept", "seen on a map",
    )  # fmt: skip
    assert main(["facts", "reject", *EDGE, "--who", "bo"]) == 0
    assert held(engine) == []
    capsys.readouterr()
    assert main(["facts", "list"]) == 0
    assert "reject" in capsys.readouterr().out
    assert main(["facts", "undo", *EDGE, "--who", "bo"]) == 0
    assert main(["facts", "list"]) == 0
    assert "reject" not in capsys.readouterr().out.partition("verdict  head")[2]


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("undo", *EDGE), "no verdict"),
        (("accept", "Atlantis", "borders", "Greece"), "Atlantis"),
        (("accept", "Greece", "bordres", "Georgia"), "bordres"),
        (("accept", "", "borders", "Georgia"), "head"),
    ],
)
def test_a_wrong_fact_is_refused_with_one_line(
    arguments: tuple[str, ...], told: str, capsys: Shown
) -> None:
    assert main(["facts", *arguments, "--who", "ada"]) != 0
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
