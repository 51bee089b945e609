"""Training, sampling, evaluating and comparing on a graph folder, by the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from api.cli.main import main
from api.steps.evaluate import Evaluation, evaluate
from evaluation import read_result
from kg.errors import JobError, SettingError
from reasoning.evaluating.published import COLUMNS, FIELD_ORDER, published_figures
from reasoning.structures import STRUCTURES
from tests.reasoning.folder_world import SETTINGS, write_folder

Shown = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings come by option only."""
    for name in ("UMBRA_FOLDER", "UMBRA_DATA"):
        monkeypatch.delenv(name, raising=False)


def umbra(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a graph, queries of it and a model, made by the commands."""
    folder = tmp_path_factory.mktemp("place")
    write_folder(folder / "graph")
    (folder / "settings.json").write_text(json.dumps(SETTINGS))
    model = ("--out", folder / "model", "--settings", folder / "settings.json")
    assert umbra("train", folder / "graph", *model) == 0
    queries = ("--out", folder / "queries.jsonl", "--count", 4)
    assert umbra("sample", folder / "graph", *queries) == 0
    return folder


def task(place: Path, out: Path, **changes: Any) -> Evaluation:
    fields = {"queries": place / "queries.jsonl", "graph": place / "graph", "plots": False}
    return Evaluation(**{**fields, "model": place / "model", "out": out, **changes})


def test_an_evaluation_writes_result_page_plots_and_units(
    place: Path, tmp_path: Path, capsys: Shown
) -> None:
    out = tmp_path / "runs" / "run.json"
    options = ("--graph", place / "graph", "--model", place / "model", "--json", out)
    assert umbra("evaluate", place / "queries.jsonl", *options) == 0
    assert "epfo mrr" in capsys.readouterr().out
    result = read_result(out)
    assert result.protocol == "betae-test"
    assert set(result.by["structure"]) == set(STRUCTURES)
    assert result.n == 4 * 14
    assert set(result.inputs) == {"queries", "graph", "model"}
    assert {"mrr", "epfo_mrr", "negation_mrr", "hits_at_10"} <= set(result.metrics)
    page = out.with_suffix(".md").read_text()
    assert f"{100 * result.metrics['epfo_mrr']:.1f}" in page
    assert "run-structure.svg" in page
    names = {path.name for path in out.parent.iterdir()}
    plots = {f"run-{kind}.{end}" for kind in ("structure", "hardness") for end in ("svg", "png")}
    assert names == plots | {"run.json", "run.md", "run.units.npz"}


def test_validation_edges_make_another_protocol_and_limits_hold(
    place: Path, tmp_path: Path
) -> None:
    found = evaluate(task(place, tmp_path / "a.json", known="train+valid", limit=2))
    assert found.protocol == "betae-test-valid-known"
    assert {part["n"] for part in found.by["structure"].values()} == {2}
    plain = evaluate(task(place, tmp_path / "b.json", limit=2))
    assert found.metrics != plain.metrics


def test_a_stopped_evaluation_goes_on_to_the_same_figures(place: Path, tmp_path: Path) -> None:
    def stop(done: int, _total: int) -> None:
        if done >= 20:
            raise KeyboardInterrupt

    one = task(place, tmp_path / "run.json")
    with pytest.raises(KeyboardInterrupt):
        evaluate(one, progress=stop)
    assert not one.out.exists()
    seen: list[int] = []
    found = evaluate(one, progress=lambda done, _: seen.append(done))
    assert seen[0] >= 20
    whole = evaluate(task(place, tmp_path / "whole.json"))
    assert (found.metrics, found.by) == (whole.metrics, whole.by)
    assert not one.unfinished.exists()


def test_a_failed_batch_is_told_and_tried_again(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reasoning.symbolic.answerer import SymbolicAnswerer

    whole = SymbolicAnswerer.scores

    def scores(self: Any, trees: Any) -> Any:
        found = whole(self, trees)
        found[0, 0] = float("nan")
        return found

    one = task(place, tmp_path / "run.json", limit=1)
    monkeypatch.setattr(SymbolicAnswerer, "scores", scores)
    with pytest.raises(JobError, match="not finite"):
        evaluate(one)
    monkeypatch.setattr(SymbolicAnswerer, "scores", whole)
    assert evaluate(one).n == 14


def test_runs_are_compared_over_their_units(place: Path, tmp_path: Path, capsys: Shown) -> None:
    for name, limit in (("one", 3), ("two", 3)):
        evaluate(task(place, tmp_path / f"{name}.json", limit=limit))
    capsys.readouterr()
    runs = (tmp_path / "one.json", tmp_path / "two.json")
    assert umbra("compare", *runs, "--out", tmp_path / "table.txt") == 0
    table = capsys.readouterr().out
    assert "+0.0 [+0.0, +0.0] paired" in table
    assert (tmp_path / "table.txt").read_text() == table
    (tmp_path / "two.units.npz").unlink()
    assert umbra("compare", *runs) == 0
    assert "paired" not in capsys.readouterr().out
    assert umbra("compare", tmp_path / "none.json") == 3


def test_a_file_made_for_another_graph_is_warned_of(
    place: Path, tmp_path: Path, capsys: Shown
) -> None:
    rows = [json.loads(line) for line in (place / "queries.jsonl").read_text().splitlines()]
    path = tmp_path / "queries.jsonl"
    path.write_text("".join(json.dumps({**row, "n_easy": 99}) + "\n" for row in rows[:5]))
    options = ("--graph", place / "graph", "--model", place / "model", "--no-plots")
    assert umbra("evaluate", path, *options, "--json", tmp_path / "run.json") == 0
    assert "5 queries have another number of easy answers" in capsys.readouterr().err


def test_a_model_without_a_place_goes_where_its_graph_is_named(
    place: Path, tmp_path: Path, capsys: Shown, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(place / "model", tmp_path / "models" / "graph")  # finished: only opened
    settings = ("--settings", place / "settings.json")
    assert umbra("train", place / "graph", *settings) == 0
    assert "models/graph" in capsys.readouterr().out
    assert umbra("train", place / "graph", *settings, "--seed", "5") == 3
    assert "models/graph" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("train", "--out", "x"), 2),
        (("train", "GRAPH", "--out", "MODEL", "--seed", "5", "--settings", "SETTINGS"), 3),
        (("train", "GRAPH", "--out", "new", "--seed", "-1"), 2),
        (("train", "GRAPH", "--out", "new", "--model", "cone"), 2),
        (("train", "nowhere", "--out", "new"), 3),
        (("evaluate", "QUERIES", "--graph", "GRAPH", "--model", "GRAPH", "--json", "x"), 3),
        (("evaluate", "none", "--graph", "GRAPH", "--model", "MODEL", "--json", "x"), 2),
        (("evaluate", "QUERIES", "--graph", "wn18rr", "--model", "MODEL", "--json", "x"), 3),
        (("evaluate", "QUERIES", "--graph", "GRAPH", "--model", "MODEL", "--json", "GRAPH"), 2),
        (("sample", "GRAPH", "--out", "x.txt"), 2),
        (("sample", "GRAPH", "--out", "x.jsonl", "--structure", "9p"), 2),
        (("ask", "--batch", "QUERIES"), 2),
        (("ask",), 2),
    ],
)
def test_wrong_commands_are_refused_in_one_line(
    place: Path, tmp_path: Path, capsys: Shown, monkeypatch: Any, arguments: Any, code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    places = {
        "GRAPH": place / "graph",
        "MODEL": place / "model",
        "SETTINGS": place / "settings.json",
        "QUERIES": place / "queries.jsonl",
    }
    assert umbra(*(places.get(argument, argument) for argument in arguments)) == code
    line = capsys.readouterr().err
    assert line.startswith("umbra: ")
    assert line.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_drawn_where_no_edge_is_held_out(tmp_path: Path, capsys: Shown) -> None:
    (tmp_path / "train.tsv").write_text("a\tr\tb\nb\tr\tc\n")
    assert umbra("sample", tmp_path, "--out", tmp_path / "queries.jsonl") == 3
    assert "is there a test.tsv.gz" in capsys.readouterr().err
    assert not (tmp_path / "queries.jsonl").exists()


def test_published_rows_belong_to_their_graph_and_average_to_their_means(tmp_path: Path) -> None:
    from reasoning.evaluating import published

    assert published_figures(write_folder(tmp_path)) == ("", {})
    assert set(FIELD_ORDER) == set(STRUCTURES)
    for _, rows in published._BY_SIZES.values():
        for values in rows.values():
            row = dict(zip(COLUMNS, values, strict=True))
            assert sum(values[:9]) / 9 == pytest.approx(row["epfo_mrr"], abs=0.11)
            assert sum(values[10:15]) / 5 == pytest.approx(row["negation_mrr"], abs=0.11)


def test_numbers_out_of_range_are_refused(place: Path, tmp_path: Path) -> None:
    for changes in ({"processes": 0}, {"limit": 0}):
        with pytest.raises(SettingError):
            task(place, tmp_path / "x.json", **changes)


def test_what_another_process_has_done_is_not_done_again(place: Path, tmp_path: Path) -> None:
    from api.steps.evaluate import help_evaluate

    one = task(place, tmp_path / "shared.json", limit=2)
    help_evaluate(one)
    seen: list[int] = []
    shared = evaluate(one, progress=lambda done, _: seen.append(done))
    assert seen == [28]
    alone = evaluate(task(place, tmp_path / "alone.json", limit=2))
    assert (alone.metrics, alone.by) == (shared.metrics, shared.by)


@pytest.mark.slow
def test_several_processes_share_the_work(place: Path, tmp_path: Path) -> None:
    alone = evaluate(task(place, tmp_path / "a.json"))
    shared = evaluate(task(place, tmp_path / "b.json", processes=2))
    assert (alone.metrics, alone.by) == (shared.metrics, shared.by)
