"""Claims and predicates that are checked: votes, thresholds, boxes, and texts against pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import InputError
from scenes.rulings import ruled_out
from scenes.verification import Vote, claim_thresholds, fit_witness, verdict
from scenes.witnesses import check_texts
from tests.scenes.two_bands import two_bands

Box = tuple[float, float, float, float]
boxes = st.tuples(*[st.integers(0, 20)] * 2, *[st.integers(1, 20)] * 2).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)


@given(boxes, boxes)
def test_what_is_above_is_ruled_out_exactly_where_below_is_with_roles_exchanged(
    a: Box, b: Box
) -> None:
    for one, inverse in (("above", "below"), ("left_of", "right_of"), ("inside", "contain")):
        assert (ruled_out(one, a, b) is None) == (ruled_out(inverse, b, a) is None)
    assert ruled_out("above", a, b) is None or ruled_out("below", a, b) is None


@given(boxes, boxes)
def test_inside_is_ruled_out_exactly_where_no_pixel_is_shared(a: Box, b: Box) -> None:
    canvas = np.zeros((2, 41, 41), dtype=bool)
    for layer, (left, top, right, bottom) in zip(canvas, (a, b), strict=True):
        layer[int(top) : int(bottom), int(left) : int(right)] = True
    assert (ruled_out("inside", a, b) is not None) == (not (canvas[0] & canvas[1]).any())


def test_nothing_is_worn_across_thetwo_bands() -> None:
    assert ruled_out("wear", (0, 0, 10, 10), (12, 0, 20, 10), side=100) is None
    assert ruled_out("wear", (0, 0, 10, 10), (50, 0, 60, 10), side=100) == (
        "a gap of 40 pixels lies between the boxes"
    )


@given(st.lists(st.tuples(st.floats(-5, 5), st.booleans()), min_size=2, max_size=60))
def test_thresholds_reach_their_precision_where_they_were_set(
    rows: list[tuple[float, bool]],
) -> None:
    odds, truth = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    if truth.all() or not truth.any():
        return
    refutes, supports = claim_thresholds(odds, truth, precision=0.9)
    for told, right in ((odds > supports, truth), (odds < refutes, ~truth)):
        hit, miss = (told & right).sum() / right.sum(), (told & ~right).sum() / (~right).sum()
        assert hit == 0 or hit / (hit + miss) >= 0.9 - 1e-9
    assert refutes <= supports


def test_one_witness_alone_decides_nothing() -> None:
    def vote(odds: float) -> Vote:
        return Vote(witness="w", log_odds=odds, refutes=-1.0, supports=1.0)

    assert verdict("star", [vote(2), vote(2)]).outcome == "supported"
    assert verdict("star", [vote(-2), vote(-2)]).outcome == "refuted"
    for pair in ((2, -2), (2, 0), (0, -2), (0, 0)):
        assert verdict("star", [vote(pair[0]), vote(pair[1])]).outcome == "uncertain"


def test_a_witness_of_noise_abstains() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(60) % 2 == 0
    witness = fit_witness("noise", rng.normal(size=(60, 3)), truth)
    outcomes = [vote.outcome for vote in witness.votes(rng.normal(size=(60, 3)))]
    assert outcomes.count("uncertain") > 40


def test_a_text_that_names_another_colour_is_flagged_with_both_sides() -> None:
    pictures = [two_bands(n, red=n % 2 == 0) for n in range(60)]
    pictures[7] = two_bands(7, red=False, text="two vertical bands of red and white")
    found = check_texts(pictures)
    assert {(c.key, c.claim, c.text, c.picture) for c in found} == {
        ("p7", "red", "names", "refuted"),
        ("p7", "blue", "silent", "supported"),
    }
    for conflict in found:
        assert [vote.witness for vote in conflict.votes] == ["plain parts", "pixels"]
        assert {vote.outcome for vote in conflict.votes} == {conflict.picture}


def test_too_small_a_collection_says_what_is_needed() -> None:
    with pytest.raises(InputError, match="10 are needed"):
        check_texts([two_bands(n, red=True) for n in range(3)])
