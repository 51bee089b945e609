"""Plots of an evaluation as SVG and PNG, drawn offline by altair and vl-convert."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.results import RunResult
from kg.files import atomic_write
from reasoning.evaluating.report import in_field_order

__all__ = ["draw_plots"]

_WIDTH, _HEIGHT, _SCALE = 640, 260, 2.0


def draw_plots(
    result: RunResult, stem: Path, *, published: Mapping[str, Mapping[str, float]] | None = None
) -> list[Path]:
    """Draw MRR by structure, and by structure and hardness where it is known.

    Args:
        result: Of an evaluation of queries.
        stem: Path without ending: ``run`` gives ``run-structure.svg``, ``run-structure.png`` …
        published: MRR of others by structure, drawn as points beside the bars.

    Returns:
        The SVG files.
    """
    structures = result.by.get("structure", {})
    order = in_field_order(list(structures))
    bars = [{"structure": name, "what": "Umbra", **_interval(structures[name])} for name in order]
    points = [
        {"structure": name, "method": method, "mrr": 100 * row[name]}
        for method, row in (published or {}).items()
        for name in order
        if name in row
    ]
    drawn = [_drawn(_by_structure(bars, points, order), stem, "structure")]
    parts = result.by.get("structure_hardness", {})
    if parts:
        rows = []
        for key, part in parts.items():
            name, _, cost = key.partition(" ")
            rows.append({"structure": name, "hardness": cost, **_interval(part)})
        drawn.append(_drawn(_by_hardness(rows, order), stem, "hardness"))
    return drawn


def _interval(part: Mapping[str, float]) -> dict[str, float]:
    mean, error = 100 * part["mrr"], 196 * part["standard_error"]
    return {"mrr": mean, "low": max(0.0, mean - error), "high": min(100.0, mean + error)}


def _by_structure(bars: list[Any], points: list[Any], order: list[str]) -> Any:
    import altair as alt

    x = alt.X("structure:N", sort=order, title=None, axis=alt.Axis(labelAngle=0))
    y = alt.Y("mrr:Q", title="filtered MRR, %")
    base = alt.Chart(alt.Data(values=bars)).encode(x=x)
    layers = base.mark_bar(color="#3b5bdb").encode(y=y)
    layers += base.mark_rule(color="black").encode(y="low:Q", y2="high:Q")
    if points:
        layers += (
            alt.Chart(alt.Data(values=points))
            .mark_point(filled=True, size=55, opacity=1)
            .encode(x=x, y=y, shape=alt.Shape("method:N", title=None), color="method:N")
        )
    return layers


def _by_hardness(rows: list[Any], order: list[str]) -> Any:
    import altair as alt

    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("structure:N", sort=order, title=None, axis=alt.Axis(labelAngle=0)),
        xOffset="hardness:N",
    )
    bar = base.mark_bar().encode(
        y=alt.Y("mrr:Q", title="filtered MRR, %"),
        color=alt.Color("hardness:N", title="missing edges", scale=alt.Scale(scheme="blues")),
    )
    return bar + base.mark_rule(color="black").encode(y="low:Q", y2="high:Q")


def _drawn(chart: Any, stem: Path, name: str) -> Path:
    import json

    import vl_convert

    chart = chart.properties(width=_WIDTH, height=_HEIGHT)
    specification = json.dumps(chart.to_dict())
    svg = stem.with_name(f"{stem.name}-{name}.svg")
    with atomic_write(svg) as file:
        file.write(vl_convert.vegalite_to_svg(specification).encode())
    with atomic_write(svg.with_suffix(".png")) as file:
        file.write(vl_convert.vegalite_to_png(specification, scale=_SCALE))
    return svg
