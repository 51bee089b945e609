"""`umbra scenes ground`: answers, JSON, a drawing, and clear errors on bad input."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image, ImageDraw

from api.cli.main import main
from scenes.grounding.model import GroundingModel


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a small grounding model, so that nothing is learnt here."""
    folder = tmp_path_factory.mktemp("ground") / ".umbra"
    model = GroundingModel.from_drawings(drawn=30, scenes=12)
    model.save(folder / "models" / "full" / "grounding" / "grounding.npz")
    return folder


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    image = Image.new("RGB", (120, 80), "red")
    ImageDraw.Draw(image).rectangle((0, 40, 120, 80), fill="white")
    path = tmp_path / "flag.png"
    image.save(path)
    return path


def _ground(*arguments: str) -> int:
    return main(["scenes", "ground", *arguments])


def test_json_holds_phrase_box_probability_and_reasons(
    folder: Path, flag: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _ground(str(flag), "the white band", "--folder", str(folder), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["phrase"]["colours"] == ["white"]
    best = found["answers"][0]
    assert best["box_xyxy"] == [0, 40, 120, 80]
    assert best["probability"] > 0.5
    assert best["reasons"]["colour"] > 0


def test_the_first_answer_is_drawn(
    folder: Path, flag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, png = tmp_path / "found.svg", tmp_path / "found.png"
    drawn = ["--svg", str(out), "--png", str(png)]
    assert _ground(str(flag), "red", "--folder", str(folder), *drawn) == 0
    assert "0 0 120 40" in capsys.readouterr().out
    with Image.open(png) as drawing:
        assert drawing.size == (120, 80)
    assert ET.fromstring(out.read_text()).tag.endswith("svg")  # noqa: S314 - our own


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.png", "red"], "no such file"),
        (["FLAG", "something nice"], "names no colour, shape, place or size"),
        (["FLAG", "red", "--most", "0"], "--most must be at least 1"),
        (["TEXT", "red"], "not an image"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(
    folder: Path,
    flag: Path,
    tmp_path: Path,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = tmp_path / "note.txt"
    text.write_text("no picture")
    out = tmp_path / "found.svg"
    places = {"FLAG": str(flag), "TEXT": str(text)}
    given = [places.get(argument, argument) for argument in arguments]
    code = _ground(*given, "--folder", str(folder), "--svg", str(out))
    assert code != 0
    assert said in capsys.readouterr().err
    assert not out.exists()
