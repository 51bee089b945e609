"""Both plots of calibration are drawn."""

import numpy as np

from bench.calibration_plot import draw
from evaluation import reliability, risk_band


def test_both_plots_are_drawn_in_one_file(tmp_path):
    said = np.random.default_rng(0).random(400)
    true = np.random.default_rng(1).random(400) < said
    band = risk_band(said, true, [np.repeat(np.arange(40), 10)])
    draw(reliability(said, true), band, tmp_path / "plot.svg")
    assert (tmp_path / "plot.svg").read_text().startswith("<svg")
