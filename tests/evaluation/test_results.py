"""Run results: the format of the specification, its schema, round trips and refusals."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from evaluation import (
    Machine,
    Measurement,
    RunResult,
    compare,
    current_commit,
    peak_memory_mb,
    read_result,
    this_machine,
)
from evaluation.comparison import as_text
from evaluation.results import SCHEMA, check_destination
from kg.errors import ForeignFileError, InputError

HASH = "ab" * 32


def fields(**changes: object) -> dict:
    """Return the example of the specification with some fields changed."""
    return {
        "command": "umbra evaluate queries",
        "commit": "0123abc",
        "date": "2026-01-02T03:04:05+00:00",
        "machine": {"cores": 2, "memory_gb": 24, "gpu": None},
        "seed": 0,
        "protocol": "betae-test",
        "inputs": {"queries": HASH, "model": HASH},
        "n": 34511,
        "seconds": 12.3,
        "peak_memory_mb": 900,
        "metrics": {"mrr": 0.329, "hits_at_1": 0.25, "hits_at_10": 0.5},
        "by": {
            "structure": {"2p": {"n": 2000, "mrr": 0.24, "standard_error": 0.006}},
            "hardness": {"1": {"n": 10, "mrr": 0.5}},
            "group": {},
        },
        **changes,
    }


WRONG = [
    ({"command": ""}, "command"),
    ({"n": 1.5}, "n"),
    ({"n": -1}, "n"),
    ({"seed": "0"}, "seed"),
    ({"seconds": float("inf")}, "seconds"),
    ({"metrics": {"mrr": 32.9}}, "metrics.mrr"),
    ({"metrics": {"mrr": float("nan")}}, "metrics.mrr"),
    ({"metrics": {"MRR": 0.3}}, "metrics.MRR"),
    ({"metrics": {"mrr": True}}, "metrics.mrr"),
    ({"inputs": {"model": "abc"}}, "inputs.model"),
    ({"by": {"structure": {"2p": {"mrr": 0.2}}}}, "by.structure.2p"),
    ({"by": {"structure": {"2p": {"n": 3, "mrr": 2}}}}, "by.structure.2p.mrr"),
    ({"machine": {"cores": 0, "memory_gb": 1, "gpu": None}}, "machine.cores"),
    ({"machine": {"cores": 1, "memory_gb": 1, "gpu": 3}}, "machine.gpu"),
    ({"machine": {"cpu": 1}}, None),
    ({"machine": None}, None),
    ({"extra": 1}, None),
]


def test_the_example_of_the_specification_round_trips(tmp_path: Path) -> None:
    result = RunResult.from_json(fields())
    assert result.to_json() == fields()
    result.save(tmp_path / "run.json")
    assert read_result(tmp_path / "run.json") == result
    assert json.loads((tmp_path / "run.json").read_text()) == fields()


def test_the_schema_accepts_what_is_written_and_names_every_field() -> None:
    written = RunResult.from_json(fields()).to_json()
    assert set(SCHEMA["required"]) == set(SCHEMA["properties"]) == set(written)


def test_the_schema_accepts_the_example_and_refuses_what_we_refuse() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert validator.is_valid(RunResult.from_json(fields()).to_json())
    for change, _ in WRONG:
        finite = "NaN" not in json.dumps(change) and "Infinity" not in json.dumps(change)
        assert validator.is_valid(fields(**change)) is (not finite), change


@pytest.mark.parametrize(("change", "where"), WRONG)
def test_what_the_format_does_not_allow_is_refused_by_name(change: dict, where: str | None) -> None:
    value = fields(**change)
    with pytest.raises(InputError) as caught:
        RunResult.from_json(value)
    assert caught.value.where == where


def test_a_missing_field_is_named() -> None:
    value = fields()
    del value["seed"]
    with pytest.raises(InputError, match="'seed'"):
        RunResult.from_json(value)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[1]")
    with pytest.raises(ForeignFileError):
        read_result(tmp_path / "a.json")


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1}')
    with pytest.raises(InputError, match=r"unknown field 'a', in .*a\.json"):
        read_result(tmp_path / "a.json")


def test_the_machine_the_clock_and_the_memory_are_real() -> None:
    machine = this_machine(gpu="some card")
    assert machine.cores >= 1
    assert machine.memory_gb > 0.1
    assert machine.gpu == "some card"
    clock = Measurement.start()
    held = bytearray(64 * 2**20)
    assert peak_memory_mb() > 64
    assert len(held) == 64 * 2**20
    assert clock.seconds >= 0
    assert clock.date.endswith("+00:00")


def test_outside_a_repository_there_is_no_commit(tmp_path: Path) -> None:
    assert current_commit(tmp_path) is None


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def test_a_tree_is_dirty_by_its_code_and_not_by_the_results_that_a_bench_has_written(
    tmp_path: Path,
) -> None:
    page, code = tmp_path / "docs" / "benchmarks" / "a.md", tmp_path / "bench" / "a.py"
    for file in (page, code):
        file.parent.mkdir(parents=True)
        file.write_text("old")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "Begin")
    clean = current_commit(code.parent)
    page.write_text("new")
    assert current_commit(code.parent) == clean
    code.write_text("new")
    assert current_commit(code.parent) == f"{clean}-dirty"


def run(mrr: float, error: float | None = None, **changes: object) -> RunResult:
    part = {"n": 100, "mrr": mrr, "hits_at_1": mrr / 2}
    if error is not None:
        part["standard_error"] = error
    return RunResult.from_json(
        fields(metrics={"mrr": mrr}, by={"structure": {"2p": part}}, **changes)
    )


def test_runs_are_compared_with_the_interval_of_their_standard_errors() -> None:
    rows = {(row.split, row.metric): row.cells for row in compare(run(0.2, 0.03), run(0.3, 0.04))}
    assert rows["all", "mrr"][0].difference is None
    assert rows["all", "mrr"][1].difference == pytest.approx(0.1)
    assert rows["all", "mrr"][1].low is None
    cell = rows["structure=2p", "mrr"][1]
    assert (cell.low, cell.high) == pytest.approx((0.1 - 1.96 * 0.05, 0.1 + 1.96 * 0.05))
    assert rows["structure=2p", "hits_at_1"][1].low is None
    assert ("structure=2p", "n") not in rows


def test_a_run_without_a_metric_leaves_its_cell_empty() -> None:
    other = RunResult.from_json(fields(metrics={"ece": 0.1}, by={}))
    text = as_text(compare(run(0.2, 0.03), other), ["ours", "theirs"])
    lines = text.splitlines()
    assert lines[0].split() == ["ours", "theirs"]
    assert lines[1].split() == ["all", "mrr", "20.0", "-"]
    assert lines[2].split() == ["all", "ece", "-", "10.0"]


def test_runs_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(InputError, match="is compared with a link run"):
        compare(run(0.2), run(0.2, protocol="link"))
    with pytest.raises(InputError, match="different queries"):
        compare(run(0.2), run(0.2, inputs={"queries": "cd" * 32}))
    assert Machine(cores=1, memory_gb=1.0).gpu is None


def test_a_result_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    check_destination(tmp_path / "new" / "run.json")
    assert (tmp_path / "new").is_dir()
    with pytest.raises(InputError, match="a folder stands where"):
        check_destination(tmp_path / "new")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        check_destination(tmp_path / "file" / "run.json")
