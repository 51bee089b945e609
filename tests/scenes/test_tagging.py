"""Tags of whole images: what the evidence says, and when it is enough."""

from __future__ import annotations

import numpy as np
import pytest

from bench.flags.gold import LABELS, colours_of, labels_of, stars_of, stripes_of
from bench.flags.phrases import band_phrases, figure_phrases
from kg.errors import InputError
from scenes.lexicon import LABELS as REGION_LABELS
from scenes.regions import segment
from scenes.tagging.decision import best_threshold, f1_score, fit_decision
from scenes.tagging.evidence import COLOURS, colour_evidence, label_evidence
from tests.scenes.drawing import BLUE, RED, WHITE, Flag, bands

ORANGE = (255, 136, 20)


def test_more_of_a_label_is_more_evidence() -> None:
    regions = segment(bands(RED, WHITE, BLUE).pixels())
    band = REGION_LABELS.index("band")
    little, much = (np.full((3, len(REGION_LABELS)), value) for value in (0.02, 0.02))
    much[:, band] = 0.9
    before, after = label_evidence(little, regions), label_evidence(much, regions)
    assert before.shape == (len(REGION_LABELS), 5)
    assert (after[band] > before[band]).all()
    assert np.isfinite(label_evidence(np.zeros((3, len(REGION_LABELS))), regions)).all()


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
