"""`umbra link check`: one command on a user's own mentions, on a graph or on a file of entities."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import jsonschema
import pytest
from PIL import Image

from api.cli.link_check import print_report
from api.engine import Engine
from api.steps.check_links import CheckReport, cases_path
from api.workspace import Workspace
from bench.link_check import measured, page
from evaluation import Machine, RunResult, read_result
from evaluation.results import SCHEMA
from tests.api.command_line import Shown, umbra
from tests.linkers.boosted.made_world import entities, mentions, write

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def own(tiny_data: Path, tmp_path: Path) -> Path:
    """A table of the tiny demo's mentions, each named country with the flag of Kazakhstan."""
    with gzip.open(tiny_data / "mentions.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    (tmp_path / "flags").mkdir()
    with Image.open(tiny_data / "flags" / "KZ.png") as image:
        image.save(tmp_path / "flags" / "KZ.png")
    kept = [row for row in rows if row.get("mention")]
    with (tmp_path / "own.jsonl").open("w", encoding="utf-8") as file:
        for number, row in enumerate(kept):
            code = row["entity_id"]
            shown = {0: "flags/none.png"}.get(number, "flags/KZ.png" if number % 2 else "")
            known = {"id": row["id"], "words": row["mention"], "text": row["context"]}
            place = {"first": row.get("start"), "last": row.get("end")}
            file.write(json.dumps({**known, **place, "flag": shown, "code": code}) + "\n")
        file.write("no row\n")
    return tmp_path / "own.jsonl"


MAPPED = ("surface=words", "context=text", "start=first", "end=last", "image=flag")
COLUMNS = tuple(part for column in MAPPED for part in ("--map", column))


def test_one_command_tells_what_flips_and_what_disagrees(
    tiny_demo: Workspace, own: Path, tmp_path: Path, capsys: Shown
) -> None:
    out = tmp_path / "check.json"
    command = ("link", "check", own, *COLUMNS, "--gold", "country:{code}", "--folder",
               tiny_demo.folder, "--budget", 1, "--limit", 30)  # fmt: skip
    code, printed, told = umbra(capsys, *command, "--json", out, "--show", 2)
    assert code == 0, told
    assert "1 rows could not be read" in told
    assert "left out: flags/none.png" in told
    result = read_result(out)
    jsonschema.validate(json.loads(out.read_text()), SCHEMA)
    assert result.protocol == "link-check"
    assert set(result.inputs) == {"mentions", "linker"}
    assert {"unchanged", "conflicts", "accuracy"} == set(result.metrics)
    kinds = result.by["kind"]
    assert {"picture_colour", "false_colour", "plain_adjective"} <= set(kinds)
    assert kinds["plain_adjective"]["n"] == result.n
    for values in kinds.values():
        left = values["unchanged"] + sum(
            values[name]
            for name in ("other_entity", "to_nil", "from_nil", "to_review", "to_linked")
        )
        assert left == pytest.approx(1)
        assert {"accuracy_before", "accuracy_after", "mrr_before", "mrr_after"} <= set(values)
    cases = [json.loads(line) for line in cases_path(out).read_text().splitlines()]
    conflicts = [case for case in cases if case["case"] == "conflict"]
    flips = [case for case in cases if case["case"] == "flip"]
    assert f"Flips ({len(flips)}, " in printed
    found = re.search(r"in conflict \((\d+) of (\d+)\)", printed)
    assert found is not None
    assert [len(conflicts), round(result.metrics["conflicts"] * int(found[2]))] == [
        int(found[1])
    ] * 2
    again = tmp_path / "again.json"
    assert umbra(capsys, *command, "--json", again)[0] == 0
    assert cases_path(again).read_bytes() == cases_path(out).read_bytes()
    assert read_result(again).by == result.by


def test_a_conflict_is_printed_with_its_reasons(capsys: Shown) -> None:
    told = {"state": "linked", "entity": "country:PE", "name": "Peru", "probability": 0.9}
    case = {
        "case": "conflict", "mention": "m1", "surface": "Peru\x1b[2J", "together":
        {**told, "reason": "modalities in conflict"}, "why": "the words alone mean Peru (0.90)",
    }  # fmt: skip
    result = RunResult(
        command="x", date="2026-11-29", machine=Machine(cores=1, memory_gb=1), protocol="x", n=3,
        seconds=1, peak_memory_mb=1, metrics={"conflicts": 0.5},
    )  # fmt: skip
    print_report(
        CheckReport(
            result=result,
            cases=[case],
            total=9,
            rejects=0,
            failed={},
            conflict_of={"m1": 0.9, "m2": 0.1},
        ),
        show=5,
    )
    printed = capsys.readouterr().out
    assert "3 of 9 mentions, 2 with words and a picture" in printed
    assert "in conflict (1 of 2)" in printed
    assert "the words alone mean Peru (0.90)" in printed
    assert "together: linked Peru 0.900 (modalities in conflict)" in printed
    assert "no mention has a text" in printed
    assert "\x1b" not in printed


def test_without_labels_there_is_no_accuracy(
    tiny_demo: Workspace, own: Path, tmp_path: Path, capsys: Shown
) -> None:
    code, printed, _ = umbra(
        capsys, "link", "check", own, "--map", "surface=words", "--limit", 5, "--budget", 1,
        "--folder", tiny_demo.folder,
    )  # fmt: skip
    assert code == 0
    assert "accuracy" not in printed
    assert re.match(r"5 of \d+ mentions, 0 with words and a picture", printed)
    assert not list(tmp_path.glob("*.json"))


def test_a_linker_of_published_entities_is_checked_without_a_graph(
    tmp_path: Path, capsys: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UMBRA_TEXT_ENCODER", "tiny")
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "entities.jsonl", entities())
    write(tmp_path / "mentions.jsonl.gz", mentions(200))
    base = ("--entities", "entities.jsonl")
    trained = ("link", "evaluate", "mentions.jsonl.gz", *base, "--json", "run.json")
    assert umbra(capsys, *trained, "--trees", 20, "--save", "trained")[0] == 0
    check = ("link", "check", "mentions.jsonl.gz", *base, "--gold", "entity_id", "--limit", 40)
    code, printed, told = umbra(capsys, *check, "--linker", "trained", "--json", "check.json")
    assert code == 0, told
    assert printed.startswith("40 of 200 mentions")
    result = read_result(tmp_path / "check.json")
    assert set(result.by["kind"]) == {"plain_adjective"}
    assert result.metrics["accuracy"] > 0.5
    assert umbra(capsys, *check)[0] == 3  # which linker?
    assert umbra(capsys, *check, "--linker", "nowhere")[0] == 3  # there is no such folder


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--limit", 0), "--limit"),
        (("--budget", 11), "--budget"),
        (("--gold", "code"), "--gold"),
        (("--map", "surface=wrods"), "no mention"),
        (("--allow-host", "http://x/"), "host"),
    ],
)
def test_what_cannot_be_checked_is_said_in_a_line(
    tiny_demo: Workspace, own: Path, capsys: Shown, more: tuple[object, ...], said: str
) -> None:
    command = ("link", "check", own, "--map", "context=none", *COLUMNS[:2])
    code, out, told = umbra(capsys, *command, "--folder", tiny_demo.folder, *more)
    assert (code, out) == (2, "")
    assert told.count("\n") == 1
    assert said in told


def test_the_bench_measures_pictures_of_other_entities(
    tiny_demo: Workspace, tiny_data: Path
) -> None:
    with Engine(tiny_demo) as engine:
        result = measured(engine, data=tiny_data, most=8)
    assert result.n >= 4
    pictures = result.by["pictures"]
    parts = [values["n"] for name, values in pictures.items() if name != "all"]
    assert pictures["all"]["n"] == result.n == sum(parts)
    assert 0 <= pictures["all"]["auroc"] <= 1
    text = page(result)
    assert f"| picture colour | {result.n} |" in text
    assert "another country's" in text
    assert "nan" not in text
