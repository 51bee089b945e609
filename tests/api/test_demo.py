"""The whole path on a small world: same steps, fewer countries, tiny encoders, real store."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.cli.main import main
from api.demo.pipeline import run_demo
from api.demo.recipe import load_recipe
from api.demo.report import write_html
from api.engine import Engine
from api.settings import load_settings
from api.side_by_side import Bars, Task, side_by_side
from api.workspace import Workspace
from kg.errors import ForeignFileError, MissingPartError
from kg.launcher import stop_store
from kg.model import EntityKey
from kg.progress import Progress, silent
from tests.api.short_trainings import shortened
from tests.api.small_world import TINY, make

pytestmark = pytest.mark.timeout(300)


def no_bars(_title: str, _unit: str) -> Progress:
    return silent


def as_if_sent(tasks: Mapping[str, Task], bars: Bars, *, workers: int) -> dict[str, Any]:
    """Run tasks in this process, but as other processes would get them: pickled and back."""

    def sent(task: Task) -> Task:
        function, arguments = pickle.loads(pickle.dumps((task.function, task.arguments)))  # noqa: S301
        return replace(task, function=function, arguments=arguments)

    return side_by_side({n: sent(task) for n, task in tasks.items()}, bars, workers=workers)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("small") / "data")


@pytest.fixture(scope="session")
def built(data: Path) -> Iterator[tuple[Engine, dict[str, Any]]]:
    """The small demo, run once for all tests of this file, and its report."""
    workspace = Workspace(data.parent / ".umbra")
    workspace.create()
    with Engine(workspace, settings=load_settings(**TINY, idle_timeout_s=5.0)) as engine:
        with shortened(), pytest.MonkeyPatch.context() as patch:
            patch.setattr("api.demo.pipeline.side_by_side", as_if_sent)
            report = run_demo(engine, load_recipe(data), no_bars, workers=0)
        yield engine, report
    stop_store(workspace.graph)


def test_the_report_has_every_section_and_figure(built: tuple[Engine, dict[str, Any]]) -> None:
    report = built[1]
    titles = [section["title"] for section in report["sections"]]
    assert titles == [
        "The graph",
        "Flags taken apart",
        "Mentions linked",
        "Edges that the models never saw",
    ]
    assert len(report["questions"]) == 3
    assert all(table["rows"] for section in report["sections"] for table in section["tables"])
    json.dumps(report)


def test_links_became_edges_with_their_sentence(built: tuple[Engine, dict[str, Any]]) -> None:
    engine = built[0]
    edges = list(engine.store.edges(relation="exports_to"))
    assert edges
    for edge in edges:
        assert edge.head != edge.tail
        for record in edge.provenance:
            assert record.kind == "linked"
            assert record.text


def test_the_evaluation_snapshot_lacks_what_was_held_out(
    built: tuple[Engine, dict[str, Any]],
) -> None:
    engine = built[0]
    evaluation = Engine(
        engine.workspace, settings=engine.settings, store=engine.store, snapshot="evaluation"
    ).snapshot
    full = engine.snapshot
    held = engine.workspace.recorded("snapshot-evaluation")["held_out"]
    assert full.num_edges - evaluation.num_edges == sum(held.values()) > 0
    assert full.entities.names == evaluation.entities.names
    borders = full.relation_id("borders")
    span = full.edges_of(borders)
    for head, tail in zip(full.heads[span].tolist(), full.tails[span].tolist(), strict=True):
        if full.has_edge(tail, borders, head):
            there = evaluation.has_edge(head, borders, tail)
            assert there == evaluation.has_edge(tail, borders, head), "a direction gives it away"


def test_every_known_edge_of_every_proof_is_in_the_graph(
    built: tuple[Engine, dict[str, Any]], data: Path
) -> None:
    engine = built[0]
    checked = 0
    for question in load_recipe(data).questions:
        answers = engine.ask(question.query, k=8)
        statuses = [answer.status for answer in answers.answers]
        assert statuses == sorted(statuses), "known ones come first"
        for answer in answers.answers:
            assert answer.proof is not None
            for edge in answer.proof.edges:
                stored = list(
                    engine.store.edges(
                        head=EntityKey(edge.head), relation=edge.relation, tail=EntityKey(edge.tail)
                    )
                )
                if edge.status == "known":
                    checked += 1
                    assert stored
                    assert edge.records
                elif edge.status == "absent":
                    assert not stored or edge.probability < 1
            if answer.status == "known":
                assert all(edge.status != "predicted" for edge in answer.proof.edges)
                assert answer.weakest is not None
    assert checked > 30


def test_known_answers_are_those_of_the_stores_cypher(
    built: tuple[Engine, dict[str, Any]], data: Path
) -> None:
    engine = built[0]
    for question in load_recipe(data).questions:
        rows = engine.cypher(question.query, max_rows=1000).rows
        stored = {row[0]["key"] for row in rows}
        answers = engine.ask(question.query, k=1000, answerer="exact")
        assert {a.key for a in answers.answers} <= stored, question.title


def test_a_second_run_does_nothing_and_says_the_same(
    built: tuple[Engine, dict[str, Any]], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, report = built
    version = engine.store.version
    files = {
        path: path.stat().st_mtime_ns
        for name in ("models", "snapshots", "steps", "images")
        for path in (engine.workspace.folder / name).rglob("*")
        if path.is_file()
    }
    for name, value in TINY.items():
        monkeypatch.setenv(f"UMBRA_{name.upper()}", value)
    assert run_demo(engine, load_recipe(data), no_bars, workers=0) == report
    assert engine.store.version == version
    assert files == {path: path.stat().st_mtime_ns for path in files}


def test_the_html_report_escapes_what_data_says(
    built: tuple[Engine, dict[str, Any]], tmp_path: Path
) -> None:
    report = json.loads(json.dumps(built[1]))
    report["questions"][0]["title"] = "<script>alert(1)</script>"
    write_html(report, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "<script>" not in text
    assert "<svg" in text


def test_commands_use_the_graph_at_the_same_time(
    built: tuple[Engine, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    engine = built[0]
    monkeypatch.setitem(os.environ, "UMBRA_FOLDER", str(engine.workspace.folder))
    assert main(["cypher", "MATCH (c:Country) RETURN count(c) AS n", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0][0] > 20
    assert main(["info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["store"]["entities"]["Country"] > 20


def test_a_folder_without_a_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match=r"demo\.toml"):
        load_recipe(tmp_path)
    (tmp_path / "demo.toml").write_text("name = 3\n")
    with pytest.raises(ForeignFileError, match="name"):
        load_recipe(tmp_path)
