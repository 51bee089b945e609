"""The band of the risk–coverage curve, where the truth is known: what it holds, and how often."""

import numpy as np
import pytest

from evaluation import RiskBand, Sample, risk_band
from kg.errors import InputError

ANSWERS = 5


def calibrated(power, seed=0, queries=300):
    draw = np.random.default_rng(seed)
    said = draw.random((queries, 10))
    true = draw.random((queries, 10)) < said**power
    return said.ravel(), true.ravel(), [np.repeat(np.arange(queries), 10)]


def shared_edges(draw, queries, chances):
    """Answers that hang on edges, some edges on many queries; an edge holds for all at once."""
    popularity = 1.0 / (20.0 + np.arange(len(chances)))
    edge = draw.choice(len(chances), p=popularity / popularity.sum(), size=queries * ANSWERS)
    holds = draw.random(len(chances)) < chances
    return edge, holds[edge], np.repeat(np.arange(queries), ANSWERS)


def held(bands):
    """Return how often the promise lies within, where at least three tenths are kept."""
    inside = [(band.low <= band.promised) & (band.promised <= band.high) for band in bands]
    return np.mean(inside, axis=0)[5:].mean()


def test_the_curve_and_what_was_promised_are_shares_of_wrong_items():
    said, true = np.array([0.9, 0.5, 0.1]), np.array([True, False, False])
    band = risk_band(said, true, [np.arange(3)])
    assert (band.risk[0], band.risk[-1]) == (0.0, pytest.approx(2 / 3))
    assert (band.promised[0], band.promised[-1]) == (pytest.approx(0.1), pytest.approx(0.5))
    assert band.coverage[-1] == 1.0


def test_the_variance_over_one_kind_of_unit_is_that_of_the_mean_over_units():
    said, true, units = calibrated(power=1)
    band = risk_band(said, true, units)
    by_query = (said - true).reshape(-1, 10).mean(axis=1)
    error = by_query.std(ddof=1) / np.sqrt(len(by_query))
    assert band.high[-1] - band.risk[-1] == pytest.approx(1.96 * error)


def test_probabilities_that_are_too_sure_leave_the_band():
    bands = [risk_band(*calibrated(power=1, seed=seed, queries=100)) for seed in range(20)]
    assert held(bands) > 0.85
    assert risk_band(*calibrated(power=4)).share_within < 0.3


def test_units_that_cross_are_no_wider_than_they_must_be():
    """Where every answer has an edge of its own, edges add nothing to the queries."""
    said, true, units = calibrated(power=1)
    own = np.arange(len(said))
    widest = np.maximum(*(risk_band(said, true, [unit]).high for unit in (*units, own)))
    np.testing.assert_allclose(risk_band(said, true, [*units, own]).high, widest)


def test_the_band_holds_the_promise_where_queries_share_edges_and_one_of_queries_does_not():
    by_query, crossed = [], []
    for seed in range(60):
        draw = np.random.default_rng(seed)
        chances = draw.random(600)
        edge, true, query = shared_edges(draw, 120, chances)
        by_query.append(risk_band(chances[edge], true, [query]))
        crossed.append(risk_band(chances[edge], true, [query, edge]))
    assert held(by_query) < 0.85
    assert 0.91 < held(crossed) < 0.985


def test_the_band_holds_what_the_finite_sample_of_the_maps_moves():
    """The map is the share of true examples at each of four scores."""
    without, within = [], []
    for seed in range(40):
        draw = np.random.default_rng(seed)
        level = draw.integers(4, size=600)
        chances = np.array([0.1, 0.3, 0.6, 0.9])[level]
        known, outcome, asked = shared_edges(draw, 120, chances)
        # which edges hold is drawn again for test
        edge, true, query = shared_edges(draw, 120, chances)
        sample = share_of_levels(level[known], outcome, [asked, known], level[edge])
        said = sample.refitted(np.ones(len(known)))
        without.append(risk_band(said, true, [query, edge]))
        within.append(risk_band(said, true, [query, edge], sample=sample, draws=20))
    assert held(without) < held(within) - 0.05
    assert held(within) > 0.9


def share_of_levels(levels, outcomes, units, asked):
    def refitted(weights):
        true = np.bincount(levels, weights=weights * outcomes, minlength=4)
        return (true / np.bincount(levels, weights=weights, minlength=4))[asked]

    return Sample(units=units, refitted=refitted)


@pytest.mark.parametrize("units", [[], [np.arange(2)] * 3, [np.arange(3)]])
def test_units_that_do_not_fit_are_refused(units):
    with pytest.raises(InputError):
        risk_band(np.array([0.5, 0.5]), np.array([True, False]), units)


def test_the_band_stays_among_shares():
    band = risk_band(np.array([0.9, 0.9]), np.array([True, True]), [np.arange(2)])
    assert isinstance(band, RiskBand)
    assert band.low.min() >= 0.0
    assert band.high.max() <= 1.0
