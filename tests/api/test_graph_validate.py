"""`umbra graph validate` and `umbra build --schema`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import api.engine
from api.cli.main import main
from tests.api.world import WorldEngine

OPEN = "[labels.Country.attributes]\npopulation = { type = 'int', required = true }\n"


@pytest.fixture(autouse=True)
def one_engine(world: WorldEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command line open the test's engine and leave it open."""
    monkeypatch.setattr(api.engine.Engine, "open", lambda *_args, **_kwargs: world)
    monkeypatch.setattr(WorldEngine, "close", lambda _self: None)


def test_findings_are_told_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = tmp_path / "schema.toml"
    schema.write_text(OPEN)
    assert main(["graph", "validate", "--schema", str(schema)]) == 0
    assert capsys.readouterr().out == "graph validate: 0 findings\n"
    schema.write_text(OPEN + "area = { required = true }\n")
    assert main(["graph", "validate", "--schema", str(schema), "--json"]) == 2
    found = json.loads(capsys.readouterr().out)["findings"]
    assert {finding["reason"] for finding in found} == {"there is no area"}
    shapes = tmp_path / "shapes.ttl"
    shapes.write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . <x:s> a sh:NodeShape ;"
        " sh:targetClass <urn:umbra:label:Country> ;"
        " sh:property [ sh:path <urn:umbra:attribute:area> ; sh:minCount 1 ] ."
    )
    assert main(["graph", "validate", "--shapes", str(shapes)]) == 2
    assert "MinCountConstraintComponent of area" in capsys.readouterr().out


def test_bad_input_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "validate"]) == 2
    assert "nothing to check" in capsys.readouterr().err
    assert main(["graph", "validate", "--schema", str(tmp_path / "none")]) == 2
    assert "no such schema" in capsys.readouterr().err
    assert main(["graph", "validate", "--shapes", str(tmp_path / "none")]) == 2
    assert "no such file" in capsys.readouterr().err
