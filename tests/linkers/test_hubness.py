"""Hubness against a double loop, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import InputError, SettingError
from linkers.hubness import hubness


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), bank=st.integers(1, 6), size=st.integers(1, 5))
def test_hubness_equals_a_double_loop(seed: int, bank: int, size: int) -> None:
    generator = np.random.default_rng(seed)
    scores = generator.normal(size=(bank, size)).astype(np.float32)
    owners = generator.integers(-1, size, size=bank)
    found = hubness(scores, owners, sharpness=2.0)
    for n in range(size):
        terms = [math.exp(2 * scores[q, n]) for q in range(bank) if owners[q] != n]
        wanted = math.log(sum(terms) / len(terms)) / 2 if terms else 0.0
        assert found[n] == pytest.approx(wanted, abs=1e-5)


def test_large_scores_do_not_overflow() -> None:
    assert hubness(np.full((3, 2), 5000, np.float32), np.array([0, 0, -1])).tolist() == [5000, 5000]


def test_what_makes_no_sense_is_refused() -> None:
    one = np.zeros((1, 2), dtype=np.float32)
    with pytest.raises(InputError):
        hubness(one, np.array([0, 1]))
    with pytest.raises(InputError):
        hubness(one[:0], np.array([], dtype=np.int64))
    with pytest.raises(SettingError):
        hubness(one, np.array([0]), sharpness=0)
