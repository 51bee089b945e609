"""The kit's runner: it reads every kind of step, it bites, and a slice of the kit is as listed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from kg.errors import InputError, QuerySyntaxError, QueryValueError, UnsupportedQueryError
from tests.tck.__main__ import ARCHIVE, DOORS, main
from tests.tck.doors import Door
from tests.tck.errors import mismatch
from tests.tck.known import known_failures, surprises
from tests.tck.notation import comparable, parsed
from tests.tck.own_features import FAILS, HOLDS
from tests.tck.report import counted, page, share
from tests.tck.running import Verdict, run_all
from tests.tck.scenarios import Raises, Scenario, folder_of, read

SLICE = 60
"""One case of so many is run by `make test`, all by `make tck`."""


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest, engine_folder: Path) -> Iterator[Door]:
    opened = DOORS[request.param](engine_folder)
    yield opened
    opened.close()


def run_text(text: str, door: Door, folder: Path) -> list[Verdict]:
    (folder / "own").mkdir()
    (folder / "own" / "Own1.feature").write_text(text, encoding="utf-8")
    return list(run_all(read(folder), door, folder=folder))


def test_every_kind_of_step_is_run(door: Door, tmp_path: Path) -> None:
    verdicts = run_text(HOLDS, door, tmp_path)
    empty_columns = {"own/Own1: [4] Effects and a control query"} if door.name == "bolt" else set()
    failed = {
        verdict.scenario.id: verdict.reason for verdict in verdicts if verdict.outcome == "failed"
    }
    assert failed.keys() == empty_columns, failed
    assert [v.scenario.id for v in verdicts if v.outcome == "left out"] == [
        "own/Own1: [7] A procedure"
    ]
    assert len(verdicts) == 11


def test_what_does_not_hold_fails(door: Door, tmp_path: Path) -> None:
    outcomes = [verdict.outcome for verdict in run_text(FAILS, door, tmp_path)]
    assert outcomes == ["failed"] * 10 + ["left out"]


def test_an_unknown_step_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.feature").write_text("Feature: a\n  Scenario: b\n    Then it works\n")
    with pytest.raises(ValueError, match="it works"):
        list(read(tmp_path))


def test_values_of_the_notation() -> None:
    text = "[null, true, -3, 1.5e2, 'a\\'b', {k: []}, (:A:B {x: 1}), [:T], <(:A)<-[:T]-()>, NaN]"
    value = parsed(text)
    assert value[:6] == [None, True, -3, 150.0, "a'b", {"k": []}]
    assert comparable(value) == comparable(parsed(text))
    assert comparable(1) != comparable(1.0)
    assert comparable(parsed("<(:A)<-[:T]-()>")) != comparable(parsed("<(:A)-[:T]->()>"))
    assert comparable([1, 2]) != comparable([2, 1])
    assert comparable([1, 2], lists_in_order=False) == comparable([2, 1], lists_in_order=False)
    for wrong in ("", "1 2", "[1", "(:A", "'a"):
        with pytest.raises((ValueError, IndexError)):
            parsed(wrong)


def test_errors_are_told_apart() -> None:
    syntax = Raises("SyntaxError", "compile time", "UndefinedVariable")
    assert not mismatch(syntax, QuerySyntaxError("x"))
    assert not mismatch(syntax, QuerySyntaxError("x", detail="UndefinedVariable"))
    assert mismatch(syntax, QuerySyntaxError("x", detail="ColumnNameConflict"))
    assert mismatch(syntax, QueryValueError("x"))
    value = Raises("TypeError", "runtime", "*")
    assert not mismatch(value, QueryValueError("x", kind="TypeError", detail="InvalidArgumentType"))
    assert mismatch(value, QueryValueError("x", kind="ArgumentError"))
    assert mismatch(Raises("TypeError", "compile time", "*"), QueryValueError("x"))
    unknown = Raises("SyntaxError", "compile time", "UnknownFunction")
    assert not mismatch(unknown, UnsupportedQueryError("x"))
    assert not mismatch(Raises("ParameterMissing", "compile time", "*"), InputError("x"))


def test_the_list_may_only_shrink(tmp_path: Path) -> None:
    path = tmp_path / "known.txt"
    path.write_text("# why\nboth a/A: [1] x\nbolt a/A: [2] y\n")
    assert known_failures("api", path) == {"a/A: [1] x"}
    assert known_failures("bolt", path) == {"a/A: [1] x", "a/A: [2] y"}
    scenario = next(iter_own(tmp_path))
    for outcome, known, new, mended in (
        ("failed", set(), (scenario.id,), ()),
        ("failed", {scenario.id}, (), ()),
        ("passed", {scenario.id}, (), (scenario.id,)),
    ):
        found = surprises([Verdict(scenario, outcome)], frozenset(known))
        assert (found.new, found.mended) == (new, mended)
    path.write_text("sometimes a/A: [1] x\n")
    with pytest.raises(ValueError, match=":1:"):
        known_failures("api", path)


def iter_own(folder: Path) -> Iterator[Scenario]:
    (folder / "Own1.feature").write_text(HOLDS, encoding="utf-8")
    return read(folder)


def test_the_command_runs_any_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    features = tmp_path / "own"
    features.mkdir()
    (features / "Own1.feature").write_text(HOLDS, encoding="utf-8")
    code = main(["--features", str(features), "--doors", "api", "--out", str(tmp_path)])
    assert code == 0
    assert "api  100.0 % passed" in capsys.readouterr().out
    text = (tmp_path / "graph-tck.md").read_text()
    assert "| own | 10 | 0 | 1 |" in text
    assert "[7] A procedure" in text


@cache  # reading it takes longer than running the slice
def the_kit() -> tuple[Scenario, ...]:
    with folder_of(ARCHIVE) as folder:
        return tuple(read(folder))


@pytest.mark.shared_data
@pytest.mark.skipif(not ARCHIVE.exists(), reason="the compatibility kit is not here")
def test_a_slice_of_the_kit_is_as_listed(door: Door) -> None:
    some = [s for s in the_kit() if zlib.crc32(s.id.encode()) % SLICE == 0]
    verdicts = list(run_all(some, door, folder=ARCHIVE.parent))
    assert len(some) > 30
    found = surprises(verdicts, known_failures(door.name))
    assert found.new == found.mended == ()
    assert share(verdicts) >= 0.9
    assert page_of(verdicts)


def page_of(verdicts: list[Verdict]) -> str:
    return page(
        {
            "command": "x", "commit": None, "date": "y", "machine": {"cores": 1}, "seconds": 1.0,
            "doors": {"api": counted(verdicts)},
        }
    )  # fmt: skip
