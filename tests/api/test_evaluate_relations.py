"""`umbra scenes evaluate` on a made set: results, units, kept models, and what it refuses."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from api.cli import scenes_evaluate
from api.cli.main import main
from api.steps.evaluate_relations import RELATION_LEARNERS
from evaluation import read_result
from evaluation.units import read_units, units_path
from scenes.relations.annotations import Vocabulary
from scenes.relations.matching import PROTOCOLS
from scenes.relations.weighting import BALANCED
from tests.scenes.relation_files import rows, write_rows, write_vocabulary
from tests.scenes.relation_world import VOCABULARY


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UMBRA_TEXT_ENCODER", "tiny")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vrd")
    write_vocabulary(folder / "vocabulary.json")
    write_rows(folder / "train.jsonl.gz", rows(60, seed=0))
    bare = {"image": "bare.jpg", "boxes_xyxy": [], "labels": [], "triplets": []}
    one = {"image": "1.jpg", "boxes_xyxy": [[3, 3, 3, 3]], "labels": [1], "triplets": [[0, 1, 0]]}
    write_rows(folder / "test.jsonl.gz", [bare, one, *rows(30, seed=1)])
    return folder


def evaluate(files: Path, out: Path, *more: object) -> int:
    given = ("scenes", "evaluate", files / "test.jsonl.gz", "--json", out)
    names = ("--vocabulary", files / "vocabulary.json")
    return main([str(word) for word in (*given, *names, *more)])


def test_a_run_is_kept_with_its_units_and_its_model(files, tmp_path, capsys):
    out, again = tmp_path / "run.json", tmp_path / "again.json"
    train = ("--train", files / "train.jsonl.gz")
    assert evaluate(files, out, *train, "--kind", "prior", "--save", tmp_path / "model") == 0
    assert "mean recall at 50" in capsys.readouterr().out.replace("_", " ")
    result = read_result(out)
    assert result.protocol == "predcls"
    assert set(result.inputs) == {"scenes", "vocabulary", "train"}
    assert set(result.by) == {"predicate", "frequency"}
    for k in (20, 50, 100):
        for suffix in ("", "_unconstrained"):
            for name in ("recall", "mean_recall", "recall_by_image"):
                assert f"{name}_at_{k}{suffix}" in result.metrics
    units = read_units(units_path(out), inputs=result.inputs)
    assert units is not None
    values = units.values["all recall_at_50"]
    assert values.mean() == pytest.approx(result.metrics["recall_at_50"], abs=1e-6)
    assert evaluate(files, again, "--model", tmp_path / "model") == 0
    assert read_result(again).metrics == result.metrics
    assert main(["compare", str(out), str(again)]) == 0
    plain = ("--mean-recall", 0, "--novelty", 0)
    assert evaluate(files, again, "--model", tmp_path / "model", *plain) == 0
    other = read_result(again).metrics
    assert other["recall_at_20_unconstrained"] >= result.metrics["recall_at_20_unconstrained"]
    assert other != result.metrics
    assert evaluate(files, again, "--model", tmp_path / "model", "--novelty", -1) != 0


def test_a_network_is_trained_by_default(files, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("api.cli.printing.EVERY_S", 0.0)
    out = tmp_path / "run.json"
    assert evaluate(files, out, "--train", files / "train.jsonl.gz") == 0
    assert read_result(out).metrics["recall_at_50"] > 0.6
    told = capsys.readouterr().err
    last = re.findall(r"training: (\d+) of (\d+) epochs", told)[-1]
    assert last[0] == last[1]
    assert "judging: 32 of 32 images" in told


def test_another_files_name_and_order_of_names_change_nothing(files, tmp_path, capsys):
    train = ("--train", files / "train.jsonl.gz", "--kind", "prior", "--save", tmp_path / "model")
    assert evaluate(files, tmp_path / "run.json", *train) == 0
    whole = read_result(tmp_path / "run.json").metrics
    objects, predicates = (names[::-1] for names in (VOCABULARY.objects, VOCABULARY.predicates))
    write_vocabulary(tmp_path / "other.json", Vocabulary(objects, predicates))
    with gzip.open(files / "test.jsonl.gz", "rt") as file, (tmp_path / "test").open("w") as other:
        for row in map(json.loads, file):
            row["labels"] = [len(objects) - 1 - label for label in row["labels"]]
            row["triplets"] = [[a, len(predicates) - 1 - p, b] for a, p, b in row["triplets"]]
            other.write(json.dumps(row) + "\n")
    command = ["scenes", "evaluate", str(tmp_path / "test"), "--model", str(tmp_path / "model")]
    out = ["--json", str(tmp_path / "other-run.json")]
    assert main([*command, *out, "--vocabulary", str(tmp_path / "other.json")]) == 0
    assert read_result(tmp_path / "other-run.json").metrics == whole
    write_vocabulary(tmp_path / "more.json", Vocabulary((*objects, "gnu"), predicates))
    assert main([*command, *out, "--vocabulary", str(tmp_path / "more.json")]) != 0
    assert "it has no 'gnu'" in capsys.readouterr().err


def test_predicates_that_training_never_had_are_scored_by_their_names(files, tmp_path):
    four = Vocabulary(VOCABULARY.objects, VOCABULARY.predicates[:4])
    write_vocabulary(tmp_path / "four.json", four)
    base = [
        {**row, "triplets": [t for t in row["triplets"] if t[1] < 4]} for row in rows(60, seed=0)
    ]
    write_rows(tmp_path / "base.jsonl.gz", base)
    train = ["--train", str(tmp_path / "base.jsonl.gz"), "--kind", "epic"]
    kept = ["--save", str(tmp_path / "model"), "--json", str(tmp_path / "base.json")]
    command = ["scenes", "evaluate", str(tmp_path / "base.jsonl.gz"), *train, *kept]
    assert main([*command, "--vocabulary", str(tmp_path / "four.json")]) == 0
    assert "training" not in read_result(tmp_path / "base.json").by
    out = tmp_path / "novel.json"
    assert evaluate(files, out, "--model", tmp_path / "model") == 0
    found = read_result(out).by["training"]
    with gzip.open(files / "test.jsonl.gz", "rt") as file:
        said = [t[1] for row in map(json.loads, file) for t in row["triplets"]]
    assert {name: part["n"] for name, part in found.items()} == {
        "base": sum(p < 4 for p in said),
        "novel": sum(p == 4 for p in said),
    }
    assert found["novel"]["recall_at_50_unconstrained"] > 0


def test_objects_that_were_found_are_judged_by_their_boxes(files, tmp_path):
    found = rows(30, seed=1)
    for row in found:
        row["boxes_xyxy"] = [[x + 0.5, y, a + 0.5, b] for x, y, a, b in row["boxes_xyxy"]]
    missing = [{**found[0], "image": name} for name in ("bare.jpg", "1.jpg")]
    write_rows(tmp_path / "found.jsonl.gz", found + missing)
    train = ("--train", files / "train.jsonl.gz", "--kind", "prior")
    objects = ("--objects", tmp_path / "found.jsonl.gz")
    out = tmp_path / "run.json"
    assert evaluate(files, out, *train, *objects, "--protocol", "sgdet") == 0
    assert read_result(out).protocol == "sgdet"
    assert read_result(out).metrics["recall_at_100"] > 0.3
    assert evaluate(files, out, *train, *objects, "--protocol", "sgcls") != 0
    write_rows(tmp_path / "found.jsonl.gz", found)
    assert evaluate(files, out, *train, *objects, "--protocol", "sgdet") != 0


def test_bad_input_leaves_nothing_and_says_where(files, tmp_path, capsys):
    out = tmp_path / "run.json"
    bad = tmp_path / "bad.jsonl"
    bad.write_text(json.dumps(rows(1, seed=3)[0]) + '\n{"image": "x", "labels": [9]}\n')
    assert evaluate(files, out, "--train", bad) != 0
    assert "bad.jsonl:2" in capsys.readouterr().err
    assert evaluate(files, out, "--train", tmp_path / "none.jsonl") != 0
    write_rows(tmp_path / "silent.jsonl.gz", [{**rows(1, seed=3)[0], "triplets": []}])
    assert evaluate(files, out, "--train", tmp_path / "silent.jsonl.gz", "--kind", "prior") != 0
    assert "no training image has a triplet" in capsys.readouterr().err
    assert evaluate(files, out, "--model", tmp_path / "none") != 0
    assert evaluate(files, out, "--model", tmp_path, "--save", tmp_path / "kept") != 0
    train = ("--train", files / "train.jsonl.gz", "--kind", "prior")
    assert evaluate(files, out, *train, "--protocol", "sgdet") != 0
    assert evaluate(files, out, *train, "--save", tmp_path / "model") == 0
    out.unlink()
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"objects": VOCABULARY.objects, "predicates": list("abcde")}))
    capsys.readouterr()
    names = ("--vocabulary", other)
    assert evaluate(files, out, "--model", tmp_path / "model", *names) != 0
    assert "another vocabulary" in capsys.readouterr().err
    assert not out.exists()


def test_the_command_offers_what_there_is(capsys):
    with pytest.raises(SystemExit):
        main(["scenes", "evaluate", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert f"recall alone (default {BALANCED.mean_recall:g})" in text
    assert f"new classes (default {BALANCED.novelty})" in text
    assert scenes_evaluate.KINDS == RELATION_LEARNERS
    assert scenes_evaluate.PROTOCOLS == PROTOCOLS
