"""The paired bootstrap covers what it should and errs as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation import paired_bootstrap, significance, standard_error
from kg.errors import InputError


def test_standard_error_by_hand() -> None:
    values = [1.0, 2.0, 3.0, 6.0]
    assert standard_error(values) == pytest.approx(np.std(values, ddof=1) / 2)
    assert standard_error([4.0]) == 0.0


def test_the_interval_is_near_the_normal_one() -> None:
    generator = np.random.default_rng(1)
    theirs = generator.random(500)
    ours = theirs + generator.normal(0.05, 0.2, 500)
    found = paired_bootstrap(ours, theirs, seed=2)
    error = standard_error(ours - theirs)
    assert found.mean == pytest.approx(np.mean(ours - theirs))
    assert found.low == pytest.approx(found.mean - 1.96 * error, abs=0.2 * error)
    assert found.high == pytest.approx(found.mean + 1.96 * error, abs=0.2 * error)
    assert found.is_better
    assert not paired_bootstrap(theirs, ours, seed=2).is_better


def test_equal_systems_are_called_better_about_one_time_in_forty() -> None:
    generator = np.random.default_rng(4)
    called = 0
    for seed in range(200):
        gaps = generator.normal(size=60)
        called += paired_bootstrap(gaps, np.zeros(60), seed=seed, draws=400).is_better
    assert 0 < called <= 14


def test_pairing_matters() -> None:
    units = np.linspace(0, 1, 200)
    assert paired_bootstrap(units + 0.01, units).is_better


def test_a_seed_fixes_the_draws_and_chunks_do_not_change_their_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = np.arange(50.0), np.zeros(50)
    assert paired_bootstrap(ours, theirs, seed=1) == paired_bootstrap(ours, theirs, seed=1)
    assert paired_bootstrap(ours, theirs, seed=1) != paired_bootstrap(ours, theirs, seed=2)
    whole = paired_bootstrap(ours, theirs, seed=1)
    monkeypatch.setattr(significance, "_CHUNK_BYTES", 16 * 50 * 7)
    assert paired_bootstrap(ours, theirs, seed=1) == whole


def test_runs_that_cannot_be_paired_are_refused() -> None:
    with pytest.raises(InputError, match="cannot be paired"):
        paired_bootstrap([1.0, 2.0], [1.0])
    with pytest.raises(InputError, match="not finite") as caught:
        paired_bootstrap([1.0, np.nan], [1.0, 2.0])
    assert caught.value.where == "row 1"
    with pytest.raises(InputError, match="one unit"):
        standard_error([])
    with pytest.raises(InputError, match="no interval"):
        paired_bootstrap([1.0], [1.0], draws=0)
