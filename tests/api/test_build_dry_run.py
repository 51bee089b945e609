"""`umbra build --dry-run`: what a build would write and reject, told before it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api.cli.main import main
from api.settings import Settings
from api.steps.build import build_graph, dry_run_build
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from tests.api.world import WorldEngine, open_world

MAPPING = """format = 1

[[entities]]
file = "people.csv"
label = "Person"
key = "person:{id}"
name = "{name}"

[entities.attributes]
age = { path = "age", type = "int" }
town = { path = "town" }

[[edges]]
file = "knows.csv"
head = "person:{who}"
relation = "knows"
tail = "person:{whom}"
"""
PEOPLE = "id,name,age,town\n1,Ada,36,London\n2,Bob,old,Rome\n3,Eve,20,\n"
KNOWS = "who,whom\n1,2\n3,1\n1,9\n"


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "knows.csv").write_text(KNOWS)
    path = tmp_path / "graph.toml"
    path.write_text(MAPPING)
    return path


def test_a_dry_run_tells_what_the_build_then_does(
    mapping: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new"
    assert main(["build", str(mapping), "--dry-run", "--json", "--folder", str(folder)]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert not folder.exists()
    store = MemoryStore()
    with WorldEngine(Workspace(folder), settings=Settings(), store=store) as engine:
        done = build_graph(engine, mapping)
        rejected = Path(done["rejects_file"]).read_text().splitlines()
        kept = {edge.key for edge in store.edges()}
        assert dry_run_build(engine, mapping)["rejected"] == told["rejected"]
    assert told["rejected"] == len(rejected)
    assert {(one["file"], one["line"]) for one in told["rejects"]} == {
        (row["file"], row["line"]) for row in map(json.loads, rejected)
    }
    assert told["edges"] == {"knows": len(kept)}
    assert told["keys"] == told["entities"]["Person"]


def test_types_are_those_of_the_values(
    mapping: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--folder", str(tmp_path / "new")]
    assert main(["build", str(mapping), "--dry-run", *folder]) == 0
    printed = capsys.readouterr().out
    assert "int 2" in printed
    assert "people.csv:3" in printed
    assert "there is no entity 'person:9'" in printed
    assert printed.endswith("nothing was written\n")


def test_ends_in_the_graph_count_and_a_schema_is_asked(tmp_path: Path) -> None:
    turtle = tmp_path / "more.nt"
    turtle.write_text("<urn:a> <urn:r> <urn:b> .\nno triple\n")
    schema = tmp_path / "schema.toml"
    schema.write_text("closed = true\n[relations.borders]\n")
    with open_world(tmp_path / ".umbra") as engine:
        version = engine.store.version
        found = dry_run_build(engine, turtle)
        assert (sum(found["edges"].values()), found["rejected"]) == (1, 1)
        assert dry_run_build(engine, turtle, schema=schema)["rejected"] > 1
        assert engine.store.version == version


HAND_MADE = """\
{"entity": {"key": "a", "label": "Town", "name": "A"}}
{"entity": {"key": "a", "label": "City", "name": "A"}}
{"entity": {"key": "b", "label": "Town", "name": "B"}}
{"entity": {"key": "c"
{"edge": {"head": "a", "relation": "near", "tail": "b"}}
{"edge": {"head": "b", "relation": "Town", "tail": "a"}}
{"edge": {"head": "b", "relation": "near", "tail": "c"}}
{"edge": {"head": "b", "relation": "far from", "tail": "a"}}
"""


def test_a_graph_written_by_hand_is_taken_as_the_dry_run_says(tmp_path: Path) -> None:
    lines = tmp_path / "hand.jsonl"
    lines.write_text(HAND_MADE)
    store = MemoryStore()
    workspace = Workspace(tmp_path / ".umbra")
    with WorldEngine(workspace, settings=Settings(), store=store) as engine:
        told = dry_run_build(engine, lines)
        done = build_graph(engine, lines)
    rejected = [json.loads(line) for line in Path(done["rejects_file"]).read_text().splitlines()]
    assert sorted(row["line"] for row in rejected) == [2, 4, 6, 7, 8]
    assert sorted(row["line"] for row in told["rejects"]) == [2, 4, 6, 7, 8]
    assert told["rejected"] == len(rejected)
    assert (told["entities"], told["edges"]) == ({"Town": 2}, {"near": 1})
    (edge,) = store.edges()
    (record,) = edge.provenance
    assert (record.kind, record.source, record.locator) == ("asserted", "hand.jsonl", "row 5")
    assert record.job in done["jobs"]
