"""The benches of scenes on flags: their pages say what was measured, and nothing else."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from bench import hostile_images, scene_speed, scenes_checks, scenes_flags_page, scenes_grounding
from bench.flags.gold import LABELS
from bench.flags.phrases import PhraseBox
from bench.hostile_images import Outcome
from evaluation import Measurement
from scenes.grounding.terms import TERMS
from scenes.tagging.evidence import COLOURS
from tests.scenes.sea_and_sky import sea_and_sky


def test_a_crash_is_counted_and_named() -> None:
    found = [("SVG", Outcome(name="not an image")), ("noise", Outcome(name="crash: it died"))]
    result = hostile_images.result_of(found, command="x", clock=Measurement.start(), seed=0)
    assert result.metrics["fair"] == 0.5
    page = hostile_images.page(result, 0.1)
    assert "**1 crashes, hangs or" in page
    assert "| SVG | 1 | 0.0 | 100.0 |" in page


def test_f1_is_pooled_and_what_is_open_is_not_counted() -> None:
    gold = {
        "careful": np.array([[1], [0], [-1]], np.int8) * np.ones(len(LABELS), np.int8),
        "plain": np.array([[1], [0], [1]], np.int8) * np.ones(len(LABELS), np.int8),
        "colours": np.array([[1], [0], [1]], np.int8) * np.ones(len(COLOURS), np.int8),
    }
    told = {
        reading: {
            method: np.array([[True], [False], [False]]) & np.ones(values.shape, bool)
            for method in ("ours", "probe", "majority", "hsv")
        }
        for reading, values in gold.items()
    }
    counts = {"star": np.array([3, 0, 1]), "stripe": np.array([2, 2, 2])}
    ways = dict.fromkeys(("a to b", "b to a"), (told, counts))
    counted: dict[str, list[int | None]] = {"star": [3, None, 2], "stripe": [2, 3, 13]}
    result = scenes_flags_page.result_of(ways, gold, counted, clock=Measurement.start(), seed=0)
    assert result.metrics["careful_macro_f1_ours"] == 1
    assert result.metrics["plain_macro_f1_ours"] == pytest.approx(2 / 3)
    assert result.by["count"]["stars, a to b"] == {"n": 2, "exact": 0.5, "within_one": 1.0}
    page = scenes_flags_page.page(result)
    assert "| star | 2 | 1 | 1.00 (1.00) |" in page


def test_phrases_that_were_missed_are_listed() -> None:
    phrase = PhraseBox(flag="AA", phrase="the red star", box_xyxy=(0, 0, 2, 2))
    hits = dict.fromkeys(("ours", "colour_only", "random", *scenes_grounding.ABLATION), 0.0)
    judged = [
        scenes_grounding.Judged(phrase=phrase, hits=hits, reachable=False, probability=0.9),
        scenes_grounding.Judged(
            phrase=phrase, hits=hits | {"ours": 1.0}, reachable=True, probability=0.9
        ),
    ]
    result = scenes_grounding.result_of(
        {"figures": judged}, command="x", clock=Measurement.start(), seed=0
    )
    assert result.metrics["accuracy_figures"] == 0.5
    page = scenes_grounding.page(result, np.ones(len(TERMS)))
    assert "Missed: AA: the red star (no candidate)." in page


def test_rates_and_memory_are_told() -> None:
    result = scene_speed.result_of(
        {"plain": 25.0, "with_vectors": 12.0, "encoder": 15.0},
        {"plain": {"write": 1.0}},
        [100.0, 110.0, *[110.0] * 7, 121.0],
        {"plain": 250, "with_vectors": 250},
        command="x",
        clock=Measurement.start(),
    )
    page = scene_speed.page(result)
    assert "**25.0 images/s** without image vectors, **12.0 images/s** with them" in page
    assert "0.80 of its rate" in page
    assert "growth from the second tenth on 10.0%" in page


def test_claims_of_another_flag_are_false_where_the_own_text_does_not_make_them() -> None:
    gold = np.array([[1, 0, -1], [0, 1, 1]], np.int8)  # the third claim of the first is left open
    said = np.array([[1, -1, -1], [1, 0, -1]], np.int8)
    found = scenes_checks.figures_of(gold, said, np.array([[1, 0]]))
    assert found == {
        "n": 3,
        "true_share": 3 / 5,
        "supported_precision": 1 / 2,  # the first flag's first claim, and wrongly the second's
        "supported_coverage": 1 / 3,
        "refuted_precision": 1 / 2,  # the first flag's second claim, and wrongly the second's third
        "refuted_coverage": 1 / 2,
    }


def test_what_boxes_rule_out_is_counted_by_predicate_as_said_and_exchanged(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl.gz").write_bytes(gzip.compress(sea_and_sky(tmp_path).encode()))
    assert scenes_checks.ruled_share(tmp_path) == {
        "above": {"n": 2, "as_said": 0.5, "swapped": 0.5}
    }
