"""A reliability plot and a risk–coverage curve side by side, with the band of the curve."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evaluation import RiskBand
from kg.files import atomic_write

__all__ = ["draw"]

_SIZE = 260


def draw(table: Sequence[Any], band: RiskBand, path: Path) -> None:
    """Write both plots as one SVG.

    Args:
        table: Of `evaluation.reliability`.
        band: Of `evaluation.risk_band`.
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
