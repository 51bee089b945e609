"""Plots of the report, drawn offline as SVG by altair and vl-convert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["bars", "reliability"]

Rows = Sequence[Mapping[str, Any]]
PALETTE = ["#3b5bdb", "#0ca678", "#f08c00", "#868e96", "#ced4da", "#e64980", "#7048e8"]


def bars(rows: Rows, *, title: str) -> str:
    """Return grouped bars with error bars of one standard error.

    Args:
        rows: Each with ``group``, ``method``, ``value`` (0–1) and ``standard_error``.
        title: Title of the value axis.

    Returns:
        SVG text.
    """
    import altair as alt

    methods = list(dict.fromkeys(row["method"] for row in rows))
    groups = list(dict.fromkeys(row["group"] for row in rows))
    values = [
        {
            **row,
            "low": max(0.0, row["value"] - row["standard_error"]),
            "high": min(1.0, row["value"] + row["standard_error"]),
        }
        for row in rows
    ]
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("group:N", sort=groups, title=None, axis=alt.Axis(labelAngle=0)),
        xOffset=alt.XOffset("method:N", sort=methods),
    )
    bar = base.mark_bar().encode(
        y=alt.Y("value:Q", title=title, scale=alt.Scale(domain=[0, 1])),
        color=alt.Color(
            "method:N", sort=methods, title=None, scale=alt.Scale(domain=methods, range=PALETTE)
        ),
    )
    error = base.mark_rule().encode(y=alt.Y("low:Q", title=title), y2="high:Q")
    return _svg((bar + error).properties(width=max(360, 90 * len(groups)), height=240))


def reliability(rows: Rows, *, title: str) -> str:
    """Return a reliability plot: mean predicted probability against the share that was right.

    Args:
        rows: Each with ``confidence``, ``accuracy`` (0–1) and ``n``.
        title: Title of the plot.

    Returns:
        SVG text.
    """
    import altair as alt

    diagonal = (
        alt.Chart(alt.Data(values=[{"x": 0, "y": 0}, {"x": 1, "y": 1}]))
        .mark_line(strokeDash=[4, 4], color="#868e96")
        .encode(x="x:Q", y="y:Q")
    )
    points = (
        alt.Chart(alt.Data(values=[dict(row) for row in rows]))
        .mark_circle(color=PALETTE[0], opacity=0.9)
        .encode(
            x=alt.X("confidence:Q", title="predicted probability", scale=_unit(alt)),
            y=alt.Y("accuracy:Q", title="share that was right", scale=_unit(alt)),
            size=alt.Size("n:Q", title="n"),
        )
    )
    return _svg((diagonal + points).properties(width=240, height=240, title=title))


def _unit(alt: Any) -> Any:
    return alt.Scale(domain=[0, 1])


def _svg(chart: Any) -> str:
    import vl_convert

    return str(vl_convert.vegalite_to_svg(chart.to_dict(format="vega-lite")))
