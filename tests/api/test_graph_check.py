"""`umbra graph check`: the graph, and the snapshots and outputs beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.cli.main import main
from api.steps.check_graph import MEANINGS, check_folder
from api.steps.snapshot import freeze
from kg.jobs import ShardResult
from kg.ledger import Ledger, run_job
from tests.api.world import WorldEngine, open_world


@pytest.fixture
def world(tmp_path: Path) -> WorldEngine:
    return open_world(tmp_path / "world")


def kinds(engine: WorldEngine) -> set[str]:
    found = check_folder(engine)
    assert {fault.kind for fault in found} <= set(MEANINGS)
    return {fault.kind for fault in found}


def test_a_sound_folder_has_no_fault(world: WorldEngine) -> None:
    assert kinds(world) == set()


def test_a_broken_snapshot_and_one_of_lost_writes_are_found(world: WorldEngine) -> None:
    folder = world.workspace.snapshot("full")
    freeze(world)
    assert kinds(world) == set()
    stamp = world.workspace.step("snapshot-full")
    values = json.loads(stamp.read_text())
    values["outcome"]["store_version"] = world.store.version + 5
    stamp.write_text(json.dumps(values))
    assert kinds(world) == {"snapshot-ahead"}
    (folder / "heads.npy").write_bytes(b"no array")
    assert kinds(world) == {"snapshot-broken"}


def test_a_lost_output_and_a_broken_ledger_are_found(world: WorldEngine) -> None:
    path = world.workspace.ledger
    with Ledger(path) as ledger:
        job = ledger.submit("test", {}, [{}])
        run_job(ledger, job.id, lambda _: ShardResult(output=b"kept"))
        assert kinds(world) == set()
        next(p for p in ledger.outputs.rglob("*") if p.is_file()).write_bytes(b"changed")
    assert kinds(world) == {"output-lost"}
    path.write_bytes(b"no database" * 1000)
    for part in path.parent.glob("ledger.sqlite-*"):
        part.unlink()
    assert kinds(world) == {"ledger-broken"}


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "check", "--folder", str(tmp_path / "none")]) == 3
    assert "no graph here" in capsys.readouterr().err


def test_the_command_prints_figures(
    tmp_path: Path,
    world: WorldEngine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("api.engine.Engine.open", lambda _folder: open_world(tmp_path / "stats"))
    assert main(["graph", "stats", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["relations"]["borders"]["edges"] == len(list(world.store.edges(relation="borders")))
    assert main(["graph", "stats"]) == 0
    printed = capsys.readouterr().out
    assert f"linked {told['records']['linked']}" in printed
    assert f"{told['parts']} parts" in printed


def test_the_command_makes_lists_and_drops_indexes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = open_world(tmp_path / "indexes")
    made.close = lambda: None  # type: ignore[method-assign]
    monkeypatch.setattr("api.engine.Engine.open", lambda _folder: made)
    assert main(["graph", "index"]) == 0
    assert "no indexes but that of keys" in capsys.readouterr().out
    assert main(["graph", "index", "Country", "name", "--json"]) == 0
    index = {"label": "Country", "attribute": "name", "kind": None}
    assert json.loads(capsys.readouterr().out) == [index]
    assert main(["graph", "index"]) == 0
    assert capsys.readouterr().out.split()[-3:] == ["Country", "name", "any"]
    assert main(["graph", "index", "Country", "name", "--drop"]) == 0
    assert "dropped" in capsys.readouterr().out
    for wrong in (["Country", "name", "--drop"], ["Country"], ["--drop"], ["Country", "key"]):
        assert main(["graph", "index", *wrong]) != 0
        assert "index" in capsys.readouterr().err
