"""`umbra link evaluate` on a made set: results, units, NIL, and what it refuses."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from api.cli.main import main
from encoders import TinyTextEncoder
from evaluation import read_result
from evaluation.units import read_units, units_path
from kg.errors import SettingError
from kg.model import EntityKey
from linkers.boosted import PooledTexts, load_linker
from linkers.mention_sets import read_entity_table, read_mention_set
from tests.linkers.boosted.made_world import entities, mentions, write


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UMBRA_TEXT_ENCODER", "tiny")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("set")
    write(folder / "entities.jsonl", entities())
    write(folder / "mentions.jsonl.gz", mentions(600))
    write(folder / "valid.jsonl", [row for row in mentions(20) if row["split"] == "valid"])
    return folder


def evaluate(files: Path, out: Path, *more: object) -> int:
    given = (
        "link",
        "evaluate",
        files / "mentions.jsonl.gz",
        "--entities",
        files / "entities.jsonl",
    )
    return main([str(word) for word in (*given, "--json", out, "--trees", 30, *more)])


def test_a_run_is_kept_with_its_units(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run.json"
    assert evaluate(files, out, "--cache", tmp_path / "cache") == 0
    assert "hits at 1" in capsys.readouterr().out.replace("_", " ")
    result = read_result(out)
    assert result.protocol == "link"
    assert result.n == 120
    assert result.metrics["hits_at_1"] > 0.7
    assert {"mrr", "recall_at_64", "ece", "accuracy"} <= set(result.metrics)
    assert set(result.inputs) == {"mentions", "entities", "encoder"}
    units = read_units(units_path(out), inputs=result.inputs)
    assert units is not None
    hits = units.values["all hits_at_1"]
    assert hits.mean() == pytest.approx(result.metrics["hits_at_1"])
    again = tmp_path / "again.json"
    assert evaluate(files, again, "--save", tmp_path / "linker") == 0
    table = read_entity_table(files / "entities.jsonl")
    linker = load_linker(tmp_path / "linker", table, PooledTexts(TinyTextEncoder()))
    test = read_mention_set(files / "mentions.jsonl.gz").part("test")
    first = [link.candidates[0].entity for link in linker.link(test.mentions)]
    assert np.mean(np.array(first) == np.array(test.gold)) == pytest.approx(hits.mean(), abs=0.02)
    assert read_result(again).metrics == result.metrics
    assert main(["compare", str(out), str(again)]) == 0


def test_withheld_entities_are_nil(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "nil.json"
    assert evaluate(files, out, "--withhold", 0.3, "--withhold-seed", 1) == 0
    result = read_result(out)
    assert result.protocol == "link-nil"
    assert {"auroc", "nil_f1", "nil_precision", "nil_recall"} <= set(result.metrics)
    assert result.metrics["auroc"] > 0.6


def test_a_set_of_nil_alone_is_judged_by_what_was_learnt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.cli.printing.EVERY_S", 0.0)
    rows = mentions(150)
    for row in rows:
        row["entity_id"] = None if row["split"] == "test" else row["entity_id"]
    write(tmp_path / "mentions.jsonl.gz", rows)
    write(tmp_path / "entities.jsonl", entities())
    assert evaluate(tmp_path, tmp_path / "run.json") == 0
    told = capsys.readouterr().err
    assert "describing: 120 of 120 mentions" in told
    assert "training: 1 of 1 rankers" in told
    metrics = read_result(tmp_path / "run.json").metrics
    assert metrics["nil_recall"] == metrics["accuracy"]
    assert not {"hits_at_1", "mrr", "auroc"} & set(metrics)
    test = [row for row in rows if row["split"] == "test"]
    write(tmp_path / "mentions.jsonl.gz", test)
    assert evaluate(tmp_path, tmp_path / "run.json") != 0


def test_a_set_can_be_judged_without_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{k: v for k, v in row.items() if k != "split"} for row in mentions(40)]
    rows[0]["entity_id"], rows[1]["entity_id"] = "Q0", None
    write(tmp_path / "mentions.jsonl.gz", rows)
    nameless = [{"entity_id": "Q7"}, {"entity_id": "Q8", "name": "", "aliases": ["Eight"]}]
    write(tmp_path / "entities.jsonl", [*entities(), *nameless])
    table = read_entity_table(tmp_path / "entities.jsonl")
    assert [table.names[table.ids[EntityKey(key)]] for key in ("Q7", "Q8")] == [
        ("Q7",), ("Eight",),
    ]  # fmt: skip
    assert evaluate(tmp_path, tmp_path / "run.json") == 0
    told = capsys.readouterr().err
    assert "nothing looks at" not in told
    assert "1 of 40 mentions name an entity that the base lacks" in told
    assert "no training mention has its entity in the base" in told
    result = read_result(tmp_path / "run.json")
    assert result.n == 40
    assert "ece" not in result.metrics
    assert set(result.by["group"]) == {"name_equal", "unseen", "unseen_other"}


def test_rows_that_nothing_looks_at_and_ids_of_earlier_rows_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = mentions(10)
    for row in rows:
        row["split"] = {"valid": "dev", "train": None}.get(row["split"], row["split"])
        row["id"] = "m"
    write(tmp_path / "mentions.jsonl.gz", rows)
    write(tmp_path / "entities.jsonl", entities())
    assert evaluate(tmp_path, tmp_path / "run.json") == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "nothing looks at 8 of 10 mentions: 6 without a split, 2 of the split 'dev'" in told
    assert "1 of 2 mentions have the id of an earlier one" in told


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"id": "1", "mention": "Arden", "gold": "Q10"}\n', "no row says what its mention means"),
        ("id,mention,entity_id\n1,Arden,Q10\n", "sets are JSON Lines"),
    ],
)
def test_a_file_that_is_no_set_is_refused(
    tmp_path: Path, text: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mentions.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    write(tmp_path / "entities.jsonl", entities())
    assert evaluate(tmp_path, tmp_path / "run.json") == 2
    assert what in capsys.readouterr().err
    assert not (tmp_path / "run.json").exists()


@pytest.mark.parametrize(
    "more",
    [
        ("--withhold", "1"),
        ("--split", "dev"),
        ("--train", "nothing.jsonl"),
        ("--train", "{}/valid.jsonl"),
        ("--trees", "0"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    files: Path, tmp_path: Path, more: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(files, tmp_path / "run.json", *(word.format(files) for word in more)) != 0
    told = capsys.readouterr().err
    assert "umbra:" in told
    assert ("its splits are valid" in told) == ("valid" in more[1])
    assert not (tmp_path / "run.json").exists()


def test_a_share_out_of_range_is_named(tmp_path: Path) -> None:
    from api.steps.evaluate_linking import LinkEvaluation

    with pytest.raises(SettingError, match="withhold"):
        LinkEvaluation(mentions=tmp_path, entities=tmp_path, withhold=1.0)
