"""An entity and what it is joined to, as one SVG drawing that needs nothing else."""

from __future__ import annotations

from math import cos, pi, sin
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from api.schemas import EdgeOut, EntityOut

__all__ = ["SHOWN", "neighbours_svg"]

SHOWN = 24
"""Edges drawn; more would not be read."""
_WIDTH, _HEIGHT = 640, 420
_ACROSS, _DOWN = 215, 165
_LETTERS = 22
_LOOK = (
    ".near text{font:12px system-ui,sans-serif;fill:currentColor;text-anchor:middle;"
    "dominant-baseline:middle;paint-order:stroke;stroke:var(--jp-layout-color0,#fff);"
    "stroke-width:4px}"
    ".near .name{font-weight:600}.near .edge{stroke:#7a8290}.near .likely{stroke-dasharray:4 3}"
    ".near .relation{font-size:10px}"
)
"""Names its own class: a style within HTML holds for the whole page."""


def neighbours_svg(entity: EntityOut) -> str:
    """Return the drawing: the entity in the middle, its edges around it, likely ones dashed.

    Args:
        entity: With its edges; the first `SHOWN` are drawn.
    """
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {_WIDTH} {_HEIGHT}",
            "width": str(_WIDTH), "height": str(_HEIGHT), "role": "img", "class": "near",
        },
    )  # fmt: skip
    ET.SubElement(root, "title").text = f"{entity.name} and what it is joined to"
    ET.SubElement(root, "style").text = _LOOK
    edges = entity.edges[:SHOWN]
    middle = (_WIDTH / 2, _HEIGHT / 2)
    for place, edge in enumerate(edges):
        turn = 2 * pi * place / len(edges) - pi / 2
        end = (middle[0] + _ACROSS * cos(turn), middle[1] + _DOWN * sin(turn))
        _draw_edge(root, edge, entity.key, middle, end)
    _text(root, middle, entity.name, "name")
    return ET.tostring(root, encoding="unicode")


def _draw_edge(
    root: ET.Element,
    edge: EdgeOut,
    key: str,
    middle: tuple[float, float],
    end: tuple[float, float],
) -> None:
    leaves = edge.head == key
    look = {"class": "edge" if edge.known else "edge likely"}
    near, far = (_between(middle, end, share) for share in (0.12, 0.86))
    ends = {"x1": near[0], "y1": near[1], "x2": far[0], "y2": far[1]}
    ET.SubElement(root, "line", look | {name: f"{value:.1f}" for name, value in ends.items()})
    sign = "→" if leaves else "←"
    _text(
        root, _between(middle, end, 0.55), f"{sign} {edge.relation.replace('_', ' ')}", "relation"
    )
    _text(root, end, edge.tail_name if leaves else edge.head_name, "other")


def _between(
    one: tuple[float, float], other: tuple[float, float], share: float
) -> tuple[float, float]:
    return (one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1]))


def _text(root: ET.Element, at: tuple[float, float], text: str, kind: str) -> None:
    shown = text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
    place = {"x": f"{at[0]:.1f}", "y": f"{at[1]:.1f}", "class": kind}
    ET.SubElement(root, "text", place).text = shown
