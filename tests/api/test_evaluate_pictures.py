"""`umbra link evaluate` with pictures, from npz files and from folders, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from api.cli.main import main
from evaluation import read_result
from evaluation.units import read_units, units_path
from linkers.visual.sources import picture_source
from tests.linkers.boosted.made_world import write
from tests.linkers.visual.drawn_world import drawn, things


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UMBRA_TEXT_ENCODER", "tiny")
    monkeypatch.setenv("UMBRA_IMAGE_ENCODER", "tiny")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    rows = things()
    write(folder / "things.jsonl.gz", list(reversed(rows)))
    first, second = (drawn(hand)[::-1] for hand in ("first", "second"))
    np.savez_compressed(folder / "drawn.npz", first=first, second=second, few=first[:5])
    np.savez(folder / "alone.npz", second=second)
    np.savez(folder / "grey.npz", first=first.astype(np.float32))
    (folder / "pictures").mkdir()
    for row, picture in zip(reversed(rows), second, strict=True):
        if row["entity_id"] != "t02":  # of the valid split: nobody looks at it
            Image.fromarray(picture).save(folder / "pictures" / f"{row['entity_id']}.png")
    (folder / "nothing").mkdir()
    (folder / "others").mkdir()
    Image.fromarray(second[0]).save(folder / "others" / "another.png")
    write(folder / "valid.jsonl", [row for row in rows if row["split"] == "valid"])
    return folder


def evaluate(files: Path, out: Path, *more: object) -> int:
    things_ = files / "things.jsonl.gz"
    given = ["link", "evaluate", things_, "--entities", things_, "--json", out]
    options = {
        "--entity-images": f"{files}/drawn.npz:first",
        "--mention-images": f"{files}/drawn.npz:second",
    }
    asked = [str(word) for word in more]
    for option, value in options.items():
        if option not in asked:
            asked += [option, value]
    return main([str(word) for word in given] + [w for w in asked if w != "-"])


def test_a_run_is_kept_with_its_units(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run.json"
    assert evaluate(files, out, "--save", tmp_path / "matcher") == 0
    assert "picture and words" in capsys.readouterr().out
    result = read_result(out)
    assert result.protocol == "link"
    parts = result.by["modality"]
    assert set(parts) == {"picture", "words", "picture and words"}
    assert parts["picture and words"]["hits_at_1"] == result.metrics["hits_at_1"]
    assert parts["picture"]["hits_at_1"] > 0.5
    assert set(result.by["group"]) == {"unseen"}
    assert {"mrr", "recall_at_64", "ece", "accuracy"} <= set(result.metrics)
    units = read_units(units_path(out), inputs=result.inputs)
    assert units is not None
    assert units.values["all hits_at_1"].mean() == pytest.approx(result.metrics["hits_at_1"])
    assert (tmp_path / "matcher" / "pictures.json").exists()
    silent = tmp_path / "silent.json"
    assert evaluate(files, silent, "--no-words", "--train-images", f"{files}/alone.npz") == 0
    alone = read_result(silent)
    assert alone.metrics["hits_at_1"] == pytest.approx(parts["picture"]["hits_at_1"], abs=0.1)
    assert set(alone.by["modality"]) == {"picture"}


def test_a_folder_of_pictures_gives_what_an_array_gives(files: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "a.json", tmp_path / "b.json"
    train = ("--train-images", f"{files}/drawn.npz:second")
    assert evaluate(files, out, "--no-words", *train) == 0
    assert evaluate(files, other, "--no-words", *train, "--mention-images", files / "pictures") == 0
    ours, theirs = read_result(out), read_result(other)
    assert ours.metrics == theirs.metrics
    assert ours.inputs != theirs.inputs


def test_training_mentions_may_be_in_a_file_of_their_own(files: Path, tmp_path: Path) -> None:
    rows = [row for row in things() if row["split"] == "train"]
    write(tmp_path / "train.jsonl", rows)
    places = [n for n, row in enumerate(things()) if row["split"] == "train"]
    np.savez(tmp_path / "train.npz", drawn=drawn("second")[places])
    given = ("--train", tmp_path / "train.jsonl")
    assert (
        evaluate(files, tmp_path / "a.json", *given, "--train-images", f"{tmp_path}/train.npz") == 0
    )
    assert evaluate(files, tmp_path / "b.json") == 0
    ours, theirs = (read_result(tmp_path / name).metrics for name in ("a.json", "b.json"))
    assert ours["hits_at_1"] == pytest.approx(theirs["hits_at_1"], abs=0.15)
    assert evaluate(files, tmp_path / "c.json", *given) != 0


def test_without_training_mentions_likenesses_are_added_up(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{k: v for k, v in row.items() if k != "split"} for row in reversed(things())]
    rows[0]["entity_id"] = "elsewhere"
    write(tmp_path / "mentions.jsonl", rows)
    base = files / "things.jsonl.gz"
    command = [
        *("link", "evaluate", tmp_path / "mentions.jsonl", "--entities", base),
        *("--entity-images", f"{files}/drawn.npz:first"),
        *("--mention-images", files / "pictures", "--json", tmp_path / "run.json"),
    ]
    assert main([*map(str, command), "--save", str(tmp_path / "matcher")]) == 0
    told = capsys.readouterr().err
    assert "no training mentions" in told
    assert "1 of 36 mentions have no entity in the base" in told
    assert "2 of 36 rows of mentions.jsonl have no picture" in told
    result = read_result(tmp_path / "run.json")
    assert result.n == 35
    assert "ece" not in result.metrics
    assert set(result.by["modality"]) == {"picture", "words", "picture and words"}
    chance = 1 / 36
    assert result.by["modality"]["picture"]["hits_at_1"] > 5 * chance
    assert result.metrics["hits_at_1"] > result.by["modality"]["picture"]["hits_at_1"]


@pytest.mark.parametrize(
    "more",
    [
        ("--mention-images", "{}/drawn.npz:third"),
        ("--mention-images", "{}/drawn.npz"),
        ("--mention-images", "{}/drawn.npz:few"),
        ("--mention-images", "{}/grey.npz:first"),
        ("--mention-images", "{}/things.jsonl.gz"),
        ("--mention-images", "{}/absent.npz:first"),
        ("--mention-images", "{}/nothing"),
        ("--entity-images", "{}/others"),
        ("--withhold", "0.3"),
        ("--split", "dev"),
        ("--train", "{}/valid.jsonl", "--train-images", "{}/pictures"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    files: Path, tmp_path: Path, more: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word.format(files) for word in more]
    assert evaluate(files, tmp_path / "run.json", *given) != 0
    told = capsys.readouterr().err
    assert "umbra:" in told
    assert ("its splits are valid" in told) == (given[0] == "--train")
    assert ("no entity has a picture" in told) == ("others" in given[1])
    assert ("not an npz file" in told) == ("absent" in given[1])
    assert not (tmp_path / "run.json").exists()


def test_pictures_of_one_side_are_refused(files: Path, tmp_path: Path) -> None:
    rows = str(files / "things.jsonl.gz")
    base = ["link", "evaluate", rows, "--entities", rows, "--json", str(tmp_path / "run.json")]
    assert main([*base, "--mention-images", f"{files}/drawn.npz:first"]) != 0


def test_no_pickle_is_opened_and_no_name_is_a_path(tmp_path: Path) -> None:
    from kg.errors import ImageError, InputError

    np.savez(tmp_path / "evil.npz", first=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError):
        picture_source(f"{tmp_path}/evil.npz:first", rows=1)
    Image.new("RGB", (4, 4)).save(tmp_path / "secret.png")
    inner = tmp_path / "inner"
    inner.mkdir()
    Image.new("RGB", (4, 4)).save(inner / "a.png")
    (inner / "broken.png").write_bytes(b"no picture")
    source = picture_source(str(inner), rows=3)
    assert source((0, ("../secret", "../secret.png"))) is None
    found = source((0, ("b", "a")))
    assert found is not None
    assert found.shape == (4, 4, 3)
    with pytest.raises(ImageError, match=r"broken\.png"):
        source((0, ("broken",)))
