"""Phrases to regions: how words are read, what terms say, and that the answers are right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kg.errors import ForeignFileError, InputError, MissingPartError
from scenes.grounding.grounder import PhraseGrounder
from scenes.grounding.model import GroundingModel
from scenes.grounding.phrases import Order, read_phrase
from scenes.grounding.terms import TERMS
from scenes.lexicon import LABELS
from scenes.regions import segment
from tests.scenes.drawing import BLUE, GREEN, RED, WHITE, YELLOW, Flag, bands


@pytest.fixture(scope="module")
def model() -> GroundingModel:
    return GroundingModel.from_drawings(drawn=60, scenes=25)


@pytest.mark.parametrize(
    ("text", "label", "colours", "places"),
    [
        ("the white star in the upper left", "star", ("white",), (("y", 0.0), ("x", 0.0))),
        ("upper-left blue rectangle", "rectangle", ("blue",), (("y", 0.0), ("x", 0.0))),
        ("a disk in the center", "disc", (), (("x", 0.5), ("y", 0.5))),
        ("the light blue disk", "disc", ("light blue",), ()),
        ("the coat of arms on the right", "emblem", (), (("x", 1.0),)),
        ("gold", None, ("yellow",), ()),
    ],
)
def test_words_are_read(
    text: str, label: str | None, colours: tuple[str, ...], places: tuple[tuple[str, float], ...]
) -> None:
    phrase = read_phrase(text)
    assert (phrase.label, phrase.colours, phrase.places) == (label, colours, places)


def test_ranks_sizes_and_grounds_are_read() -> None:
    assert read_phrase("the second band from the top").order == Order(axis="y", rank=2)
    assert read_phrase("the second band from the right").order == Order(axis="x", rank=-2)
    assert read_phrase("the small star").size == -1
    assert read_phrase("the vertical band").direction == -1
    assert read_phrase("the white stars").plural
    on = read_phrase("the yellow disc on the red band").on
    assert on is not None
    assert (on.label, on.colours) == ("band", ("red",))
    assert read_phrase("the serrated white band").unread == ("serrated",)


@pytest.mark.parametrize("text", ["", "something nice", "the", "x" * 501])
def test_a_phrase_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_phrase(text)


def test_each_band_is_found_by_its_colour_and_by_its_rank(model: GroundingModel) -> None:
    image = bands(RED, WHITE, BLUE).pixels()
    for text, top in (
        ("the white band", 53),
        ("the lower band", 107),
        ("the second band from the top", 53),
        ("the last band", 107),
    ):
        answer = model.ground(text, image)[0].answers[0]
        assert abs(answer.box_xyxy[1] - top) <= 2, text


def test_place_and_size_decide_between_things_alike(model: GroundingModel) -> None:
    flag = Flag(BLUE).disc(40, 40, 12, WHITE).disc(200, 120, 26, WHITE)
    for text, left in (
        ("the white disc in the upper left", 28),
        ("the white disc in the lower right", 174),
        ("the large white disc", 174),
        ("the small white disc", 28),
    ):
        answer = model.ground(text, flag.pixels())[0].answers[0]
        assert abs(answer.box_xyxy[0] - left) <= 2, text
    both = model.ground("the white discs", flag.pixels())[0].answers[0]
    assert len(both.members) == 2


def test_what_it_lies_on_decides(model: GroundingModel) -> None:
    flag = bands(RED, GREEN, vertical=True).disc(60, 80, 20, YELLOW).disc(180, 80, 20, YELLOW)
    answer = model.ground("the yellow disc on the green band", flag.pixels())[0].answers[0]
    assert answer.box_xyxy[0] > 120
    assert answer.reasons["on"] > 0


def test_a_band_cut_in_two_is_one_band(model: GroundingModel) -> None:
    flag = bands(RED, WHITE, BLUE).rectangle((100, 0, 140, 160), GREEN)
    answer = model.ground("the white band", flag.pixels())[0].answers[0]
    assert len(answer.members) == 2
    assert answer.box_xyxy[0] == 0
    assert answer.box_xyxy[2] == 240


def test_answers_are_ordered_and_their_probabilities_are_of_one_whole(
    model: GroundingModel,
) -> None:
    image = bands(RED, WHITE, BLUE).pixels()
    answers = model.ground("the band", image, most=99)[0].answers
    probabilities = [answer.probability for answer in answers]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1)


def test_a_term_without_weight_counts_for_nothing() -> None:
    regions = segment(bands(RED, BLUE).pixels())
    opinion = np.full((len(regions), len(LABELS)), 1 / len(LABELS))
    blind = PhraseGrounder(np.zeros(len(TERMS)))
    answers = blind.ground(read_phrase("the blue band"), regions, opinion).answers
    assert [answer.probability for answer in answers] == pytest.approx([0.5, 0.5])


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="weights"):
        PhraseGrounder(np.zeros(3))
    blind = PhraseGrounder(np.zeros(len(TERMS)))
    with pytest.raises(InputError, match="without regions"):
        blind.ground(read_phrase("red"), [], np.empty((0, len(LABELS))))
    regions = segment(bands(RED, BLUE).pixels())
    with pytest.raises(InputError, match="labels of shape"):
        blind.ground(read_phrase("red"), regions, np.zeros((1, 2)))


def test_a_model_is_the_same_after_a_file(model: GroundingModel, tmp_path: Path) -> None:
    path = tmp_path / "grounding.npz"
    model.save(path)
    image = bands(RED, WHITE, BLUE).pixels()
    assert GroundingModel.load(path).ground("white", image)[0] == model.ground("white", image)[0]


def test_another_file_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError):
        GroundingModel.load(tmp_path / "none.npz")
    path = tmp_path / "grounding.npz"
    for content in (b"", b"PK\x03\x04 not a zip", b"{}"):
        path.write_bytes(content)
        with pytest.raises(ForeignFileError):
            GroundingModel.load(path)
    with path.open("wb") as file:
        np.savez(file, weights=np.zeros(3))
    with pytest.raises(ForeignFileError):
        GroundingModel.load(path)
