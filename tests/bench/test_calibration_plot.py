"""The band of the risk–coverage curve holds calibrated probabilities and not sure ones."""

import numpy as np

from bench.calibration_plot import draw, risk_band
from evaluation import reliability


def answers(power, seed=0, queries=300):
    generator = np.random.default_rng(seed)
    said = generator.random((queries, 10))
    true = generator.random((queries, 10)) < said**power
    return said.ravel(), true.ravel(), np.repeat(np.arange(queries), 10)


def test_the_band_holds_what_calibrated_probabilities_promise():
    band = risk_band(*answers(power=1))
    assert band.share_within > 0.7
    assert np.all((band.low <= band.risk) & (band.risk <= band.high))
    assert band.coverage[-1] == 1.0
    assert band.risk[0] < band.risk[-1]


def test_probabilities_that_are_too_sure_leave_the_band():
    assert risk_band(*answers(power=4)).share_within < 0.3


def test_answers_of_one_query_widen_the_band():
    said, true, query = answers(power=1)
    apart = risk_band(said, true, np.arange(len(said)))
    together = risk_band(said, np.repeat(true[::10], 10), query)
    assert (together.high - together.low).mean() > 1.5 * (apart.high - apart.low).mean()


def test_both_plots_are_drawn_in_one_file(tmp_path):
    said, true, query = answers(power=1, queries=40)
    draw(reliability(said, true), risk_band(said, true, query), tmp_path / "plot.svg")
    assert (tmp_path / "plot.svg").read_text().startswith("<svg")
