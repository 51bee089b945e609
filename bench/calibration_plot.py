"""A reliability plot and a risk–coverage curve side by side, with the band of the curve."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.files import atomic_write

__all__ = ["RiskBand", "draw", "risk_band"]

_COVERAGES = 20
_DRAWS = 500
_SIZE = 260

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class RiskBand:
    """Share of wrong answers among the surest, by how many are kept.

    Attributes:
        coverage: ``(m,)`` share of answers kept, rising to 1.
        risk: ``(m,)`` observed share of wrong ones.
        low: ``(m,)`` lower end of its 95 % band, bootstrapped over queries.
        high: ``(m,)`` upper end.
        promised: ``(m,)`` the share that the probabilities say is wrong.
    """

    coverage: Floats
    risk: Floats
    low: Floats
    high: Floats
    promised: Floats

    @property
    def share_within(self) -> float:
        """Share of the coverages at which the promised risk lies within the band."""
        return float(((self.low <= self.promised) & (self.promised <= self.high)).mean())


def risk_band(
    said: Floats, true: NDArray[np.bool_], query: NDArray[np.int64], *, seed: int = 0
) -> RiskBand:
    """Return the risk–coverage curve; whole queries are drawn, since their answers share luck.

    Args:
        said: ``(n,)`` probabilities.
        true: ``(n,)`` outcomes.
        query: ``(n,)`` numbers of the queries.
        seed: Of the draws.
    """
    order = np.argsort(-said, kind="stable")
    said, wrong, query = said[order], ~true[order], query[order]
    coverage = np.arange(1, _COVERAGES + 1) / _COVERAGES
    kept = np.maximum(1, np.rint(coverage * len(said)).astype(np.int64))
    generator = np.random.default_rng(seed)
    count = int(query.max()) + 1
    drawn = np.empty((_DRAWS, _COVERAGES))
    for number in range(_DRAWS):
        weight = np.bincount(generator.integers(count, size=count), minlength=count)[query]
        total = np.cumsum(weight)
        # the same share of the drawn answers is kept, of those that are surest
        places = np.searchsorted(total, coverage * total[-1]).clip(max=len(said) - 1)
        drawn[number] = np.cumsum(weight * wrong)[places] / np.maximum(1, total[places])
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return RiskBand(
        coverage=coverage,
        risk=np.cumsum(wrong)[kept - 1] / kept,
        low=low,
        high=high,
        promised=np.cumsum(1.0 - said)[kept - 1] / kept,
    )


def draw(table: Sequence[Any], band: RiskBand, path: Path) -> None:
    """Write both plots as one SVG.

    Args:
        table: Of `evaluation.reliability`.
        band: Of `risk_band`.
        path: The file.
    """
    import altair as alt
    import vl_convert

    points = [
        {"said": part.mean_probability, "true": part.share_true, "answers": part.count}
        for part in table
    ]
    axis = alt.Scale(domain=[0, 1])
    diagonal = alt.Chart(alt.Data(values=[{"x": 0, "y": 0}, {"x": 1, "y": 1}])).mark_line(
        strokeDash=[4, 4], color="grey"
    )
    diagonal = diagonal.encode(x=alt.X("x:Q", scale=axis), y=alt.Y("y:Q", scale=axis))
    marks = alt.Chart(alt.Data(values=points)).mark_line(point=True)
    left = diagonal + marks.encode(
        x=alt.X("said:Q", scale=axis, title="probability that was said"),
        y=alt.Y("true:Q", scale=axis, title="share that came true"),
    )
    rows = [
        {"coverage": c, "risk": r, "low": lo, "high": hi, "promised": p}
        for c, r, lo, hi, p in zip(
            *(a.tolist() for a in (band.coverage, band.risk, band.low, band.high, band.promised)),
            strict=True,
        )
    ]
    curve = alt.Chart(alt.Data(values=rows)).encode(x=alt.X("coverage:Q", title="answers kept"))
    right = (
        curve.mark_area(opacity=0.25).encode(y=alt.Y("low:Q", title="share wrong"), y2="high:Q")
        + curve.mark_line().encode(y="risk:Q")
        + curve.mark_line(strokeDash=[4, 4], color="black").encode(y="promised:Q")
    )
    chart = alt.hconcat(
        left.properties(width=_SIZE, height=_SIZE, title="Reliability on test"),
        right.properties(
            width=_SIZE, height=_SIZE, title="Risk: observed, band, promised (dashed)"
        ),
    )
    svg = vl_convert.vegalite_to_svg(json.dumps(chart.to_dict()))
    with atomic_write(path) as file:
        file.write(svg.encode())
