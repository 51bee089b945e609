"""Tags of whole images: what the evidence says, and when it is enough."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.flags.gold import LABELS, colours_of, labels_of, stars_of, stripes_of
from bench.flags.phrases import band_phrases, figure_phrases
from kg.errors import InputError
from scenes.lexicon import LABELS as REGION_LABELS
from scenes.regions import segment
from scenes.tagging.decision import best_threshold, f1_score, fit_decision
from scenes.tagging.evidence import COLOURS, TAGS, colour_evidence, label_evidence, tag_evidence
from scenes.tagging.round_figures import round_evidence
from tests.scenes.drawing import BLUE, RED, WHITE, Flag, bands

ORANGE = (255, 136, 20)


def test_more_of_a_label_is_more_evidence() -> None:
    regions = segment(bands(RED, WHITE, BLUE).pixels())
    band = REGION_LABELS.index("band")
    little, much = (np.full((3, len(REGION_LABELS)), value) for value in (0.02, 0.02))
    much[:, band] = 0.9
    before, after = label_evidence(little, regions), label_evidence(much, regions)
    assert before.shape == (len(REGION_LABELS), 6)
    assert (after[band] > before[band]).all()
    assert np.isfinite(label_evidence(np.zeros((3, len(REGION_LABELS))), regions)).all()


def test_what_stands_in_the_corner_is_counted_apart() -> None:
    image = Flag(BLUE).disc(40, 40, 20, WHITE).pixels()
    regions = segment(image)
    opinion = np.zeros((2, len(REGION_LABELS)))
    opinion[1, REGION_LABELS.index("cross")] = 0.9
    found = tag_evidence(opinion, regions)
    assert found["cross"][0] > 2
    assert found["cross"][5] < -2
    assert set(found) == set(TAGS) == set(LABELS)
    assert found["sun"][1:].tolist() == found["disc"][1:].tolist() == list(round_evidence(regions))


def spiked(rays: int, *, rising: bool = False, gap: bool = False) -> NDArray[np.uint8]:
    """A figure of triangular rays, above a line or all around, apart from its core or not."""
    y, x = np.mgrid[:160, :240]
    dy, dx = y - (140 if rising else 80), x - 120
    radius, turn = np.hypot(dy, dx), np.arctan2(dy, dx) / (2 * np.pi) * rays % 1
    figure = (radius < 34) | ((radius > 38 * gap) & (radius < 34 + 36 * (1 - abs(2 * turn - 1))))
    picture = np.full((160, 240, 3), BLUE, dtype=np.uint8)
    picture[figure & ((dy < 0) if rising else True)] = WHITE
    return picture


@pytest.mark.parametrize(
    ("rays", "rising", "gap"), [(12, False, False), (16, False, True), (20, True, False)]
)
def test_a_sun_has_rays(rays: int, rising: bool, gap: bool) -> None:
    sun = round_evidence(segment(spiked(rays, rising=rising, gap=gap)))[0]
    assert sun > -1.5
    for other in (
        Flag(BLUE).disc(120, 80, 40, WHITE).pixels(),
        spiked(5),
        bands(RED, WHITE, BLUE).pixels(),
    ):
        assert round_evidence(segment(other))[0] < sun - 0.5


def test_a_disc_is_round_even_where_something_stands_on_it() -> None:
    plain = Flag(BLUE).disc(120, 80, 40, WHITE).pixels()
    bears = Flag(BLUE).disc(120, 80, 40, WHITE).disc(110, 75, 12, RED).pixels()
    found = [round_evidence(segment(one))[1] for one in (plain, bears, spiked(8))]
    assert min(found[:2]) > 2.5
    assert found[2] < 2


def test_colours_are_seen_where_they_are() -> None:
    image = Flag(BLUE).disc(180, 110, 30, WHITE).pixels()
    found = colour_evidence(image, segment(image))
    assert set(found) == set(COLOURS)
    assert found["blue"][0] > found["white"][0] > found["red"][0]
    assert found["white"][5] == 1
    assert found["red"][5] == 0


def test_orange_is_told_from_yellow_and_red() -> None:
    of = {name: bands(paint, WHITE).pixels() for name, paint in (("orange", ORANGE), ("red", RED))}
    orange, red = (colour_evidence(one, segment(one))["orange"] for one in of.values())
    assert orange[0] > red[0]
    assert orange[1] == red[1]


def test_a_clear_tag_is_told() -> None:
    generator = np.random.default_rng(0)
    truth = generator.random(80) < 0.4
    evidence = np.stack([truth * 3 + generator.normal(0, 0.3, 80), generator.normal(0, 1, 80)], 1)
    decision = fit_decision(evidence, truth)
    assert f1_score(decision.tells(evidence), truth) > 0.95


def test_image_vectors_are_taken_in_only_where_they_help() -> None:
    generator = np.random.default_rng(1)
    truth = generator.random(80) < 0.4
    nothing, clear = generator.normal(0, 1, (80, 1)), truth[:, None] + np.zeros((80, 4))
    helped = fit_decision(nothing, truth, clear)
    assert helped.share > 0
    assert f1_score(helped.tells(nothing, clear), truth) > 0.95
    assert fit_decision(clear, truth, nothing).vectors is None


def test_a_tag_that_hardly_occurs_is_refused() -> None:
    with pytest.raises(InputError, match="two images"):
        fit_decision(np.zeros((5, 1)), np.array([True, False, False, False, False]))


def test_a_constant_score_has_one_threshold() -> None:
    assert best_threshold(np.ones(3), np.array([True, False, True])) == 1
    assert f1_score(np.zeros(2, dtype=bool), np.zeros(2, dtype=bool)) == 1


def test_gold_reads_words_and_leaves_open_what_is_inside_arms() -> None:
    text = (
        "blue, with the UK flag in the upper-left quadrant and the coat of arms on the right; the "
        "coat of arms shows a lion and three stars"
    )
    plain = dict(zip(LABELS, labels_of(text, careful=False).tolist(), strict=True))
    careful = dict(zip(LABELS, labels_of(text, careful=True).tolist(), strict=True))
    assert (plain["star"], careful["star"]) == (1, -1)
    assert (plain["cross"], careful["cross"]) == (0, -1)
    assert plain["emblem"] == careful["emblem"] == 1
    assert dict(zip(COLOURS, colours_of("light blue and gold"), strict=True))["yellow"]
    assert stars_of("red with five white stars") == 5
    assert stars_of("red with white stars") is None
    assert stripes_of("13 equal horizontal stripes of red alternating with white") == 13


def test_band_phrases_follow_from_the_text_and_repeated_colours_are_left_out() -> None:
    texts = {
        "AT": "three equal horizontal bands of red (top), white, and red",
        "GM": "three equal horizontal bands of red (top), blue with white edges, and green",
        "IN": "three equal horizontal bands of saffron (top), white, and green",
        "FR": "three equal vertical bands of blue (left side), white, and red",
    }
    found = {(one.flag, one.phrase): one.box_xyxy for one in band_phrases(texts, 30, 30)}
    assert ("IN", "white band") not in found
    assert [phrase for flag, phrase in found if flag == "AT"] == ["white band"]
    assert found["GM", "green band"] == (0, 20, 30, 30)
    assert found["FR", "white band"] == (10, 0, 20, 30)


def test_checked_phrases_lie_inside_the_pictures() -> None:
    found = figure_phrases()
    assert len(found) >= 100
    for one in found:
        left, top, right, bottom = one.box_xyxy
        assert 0 <= left < right <= 256, one
        assert 0 <= top < bottom <= 192, one
