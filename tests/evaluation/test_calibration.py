"""Calibration error by hand, scikit-learn as the oracle of the maps, JSON round trips."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from evaluation import (
    Isotonic,
    Platt,
    calibration_from_json,
    ece,
    fit_isotonic,
    fit_platt,
    reliability,
)
from kg.errors import InputError

items = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), st.booleans()), min_size=1
)


def test_ece_by_hand() -> None:
    said = [0.2, 0.2, 0.8, 0.8]
    assert ece(said, [0, 0, 1, 1], bins=2) == pytest.approx(0.2)
    assert ece(said, [0, 1, 1, 1], bins=2) == pytest.approx((0.3 + 0.2) / 2)


def test_a_calibrated_source_has_a_small_error_and_a_boastful_one_a_large() -> None:
    generator = np.random.default_rng(3)
    said = generator.random(20_000)
    true = generator.random(20_000) < said
    assert ece(said, true) < 0.02
    assert ece(np.sqrt(said), true) > 0.1
    table = reliability(said, true)
    assert len(table) == 15
    assert {part.count for part in table} <= {1333, 1334}


@given(items, st.randoms(use_true_random=False))
def test_the_order_of_items_does_not_matter(pairs: list, random: object) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    assert ece(*zip(*pairs, strict=True), bins=4) == pytest.approx(
        ece(*zip(*shuffled, strict=True), bins=4)
    )


@given(items)
def test_bins_hold_every_item_once_and_do_not_overlap(pairs: list) -> None:
    table = reliability(*zip(*pairs, strict=True), bins=4)
    assert sum(part.count for part in table) == len(pairs)
    assert len(table) <= 4
    assert all(a.highest < b.lowest for a, b in pairwise(table))


def test_isotonic_equals_scikit_learn() -> None:
    generator = np.random.default_rng(5)
    scores = generator.normal(size=300)
    true = generator.random(300) < 1 / (1 + np.exp(-2 * scores))
    weights = generator.random(300) + 0.5
    ours = fit_isotonic(scores, true, weights)
    model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(scores, true, weights)
    points = np.linspace(-5, 5, 101)
    np.testing.assert_allclose(ours.apply(points), model.predict(points), atol=1e-12)
    assert (np.diff(ours.apply(points)) >= 0).all()


def test_platt_equals_scikit_learn_on_scaled_scores() -> None:
    generator = np.random.default_rng(6)
    scores = generator.normal(size=400) * 30 + 5
    true = generator.random(400) < 1 / (1 + np.exp(-(scores - 5) / 30))
    ours = fit_platt(scores, true)
    model = LogisticRegression(C=1e6).fit((scores[:, None] - 5) / 30, true)
    np.testing.assert_allclose(
        ours.apply(scores), model.predict_proba((scores[:, None] - 5) / 30)[:, 1], atol=1e-3
    )
    assert ours.slope > 0


def test_platt_of_one_class_says_its_share() -> None:
    assert fit_platt([1.0, 2.0], [1, 1]).apply([9.0]) == pytest.approx([0.75])
    assert fit_platt([1.0, 1.0], [0, 0]).apply([9.0]) == pytest.approx([0.25])


@pytest.mark.parametrize(
    "calibration",
    [
        Isotonic(scores=(0.0, 1.5), probabilities=(0.25, 1.0)),
        Platt(slope=2.5, intercept=-1.0),
    ],
)
def test_maps_round_trip_through_json(calibration: Isotonic | Platt) -> None:
    assert calibration_from_json(json.loads(json.dumps(calibration.to_json()))) == calibration


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"kind": "other"},
        {"kind": "platt", "slope": "x", "intercept": 0},
        {"kind": "platt", "slope": float("nan"), "intercept": 0},
        {"kind": "isotonic", "scores": [1, 0], "probabilities": [0, 1]},
        {"kind": "isotonic", "scores": [0, 1], "probabilities": [1, 0]},
        {"kind": "isotonic", "scores": [0, 1], "probabilities": [0, 2]},
        {"kind": "isotonic", "scores": [], "probabilities": []},
    ],
)
def test_what_is_no_map_is_refused(value: dict) -> None:
    with pytest.raises(InputError):
        calibration_from_json(value)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(InputError, match="outside") as caught:
        ece([0.5, 1.5], [0, 1])
    assert caught.value.where == "row 1"
    with pytest.raises(InputError, match="no items"):
        ece([], [])
    with pytest.raises(InputError, match="do not fit"):
        ece([0.5], [0, 1])
    with pytest.raises(InputError, match="not finite"):
        fit_platt([np.nan], [1])
