"""Data sets by name: found in any case and form, missing ones told, and the demo's graph as one."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.data_sets import DATA_SETS, graph_folder
from api.engine import Engine
from api.settings import Settings
from api.steps.snapshot import HoldOut, freeze, freeze_for_evaluation
from api.workspace import Workspace
from kg.errors import MissingPartError
from kg.graph_folder import load_graph_folder
from kg.snapshot import Snapshot, load_snapshot
from tests.api.predictor_store import store_of
from tests.reasoning.predictor_world import WORLD


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UMBRA_FOLDER", "UMBRA_DATA"):
        monkeypatch.delenv(name, raising=False)


def test_every_name_is_found_in_any_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UMBRA_DATA", str(tmp_path))
    for one in DATA_SETS.values():
        for folder in one.folders:
            made = tmp_path / folder.upper()
            made.mkdir()
            assert graph_folder(one.name) == graph_folder(one.name.lower()) == made
            made.rmdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "NELL995").mkdir()
    assert graph_folder("NELL995") == Path("NELL995")


def test_a_missing_set_says_which_files_go_where_and_whence_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MissingPartError, match=r"set UMBRA_DATA .*mkg-w/.*zjukg/MoMoK"):
        graph_folder("MKG-W", working_folder=tmp_path)
    monkeypatch.setenv("UMBRA_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(MissingPartError, match=r"put train.* they come from .*OpenKE") as caught:
        graph_folder("wn18rr", working_folder=tmp_path)
    assert caught.value.where == str(tmp_path / "nowhere" / "wn18rr")
    with pytest.raises(MissingPartError, match=r"one of FB15k-237, .*, demo"):
        graph_folder("yago", working_folder=tmp_path)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A working folder with both snapshots of a demo."""
    made = Workspace(tmp_path / ".umbra")
    made.create()
    rule = HoldOut(relations=("borders", "speaks"), undirected=("borders",), share=0.2, seed=3)
    with Engine(made, settings=Settings(), store=store_of(WORLD)) as engine:
        freeze(engine)
        freeze_for_evaluation(engine, rule)
    return made


def named(graph: Snapshot) -> set[tuple[str, str, str]]:
    entity, relation = graph.entities.name, graph.relation_names.name
    return {
        (entity(int(h)), relation(int(r)), entity(int(t)))
        for h, r, t in zip(graph.heads, graph.relations, graph.tails, strict=True)
    }


def test_the_demo_is_a_graph_folder_split_by_its_own_rule(workspace: Workspace) -> None:
    folder = graph_folder("demo", working_folder=workspace.folder)
    graph = load_graph_folder(folder)
    full, known = (load_snapshot(workspace.snapshot(name)) for name in ("full", "evaluation"))
    assert named(graph.full) == named(full)
    assert named(graph.train_valid) == named(known)
    valid = named(known) - named(graph.train)
    assert {relation for _, relation, _ in valid} == {"borders", "speaks"}
    for head, relation, tail in valid:
        if relation == "borders":
            assert (tail, relation, head) in valid
    assert graph.full.names == full.names
    assert graph.full.attributes["latitude"] == dict(full.attributes["latitude"])
    written = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert graph_folder("Demo", working_folder=workspace.folder) == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == written


def test_without_a_demo_the_command_to_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="umbra demo"):
        graph_folder("demo", working_folder=tmp_path)
