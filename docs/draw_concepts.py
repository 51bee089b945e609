"""Draws the pictures of docs/concepts.md from the code that they explain.

``python -m docs.draw_concepts`` writes them; a test compares them with what this would draw.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import torch

from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import build_snapshot
from reasoning.cones.rough_cone import RoughCone, complement, distance, intersect, translate
from reasoning.predictors import NoPredictor
from reasoning.query import Anchor, Intersection, Labelled, Negation, Projection
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.fuzzy import LOWER, TRUTH, UPPER

FOLDER = Path(__file__).parent / "images"

LOOK = """
svg { --ground: #ffffff; --ink: #1b1f24; --quiet: #5c6670; --core: #11734b; --rim: #9a5b00;
      --circle: #c3cad1; }
@media (prefers-color-scheme: dark) {
  svg { --ground: #15191e; --ink: #e7ebef; --quiet: #9aa5b1; --core: #58c796; --rim: #e8ab4f;
        --circle: #47515b; }
}
.ground { fill: var(--ground); }
text { fill: var(--ink); font: 13px system-ui, sans-serif; }
.quiet { fill: var(--quiet); font-size: 12px; }
.middle { text-anchor: middle; }
.circle { fill: none; stroke: var(--circle); stroke-width: 2; }
.core { fill: none; stroke: var(--core); stroke-width: 9; }
.rim { fill: none; stroke: var(--rim); stroke-width: 9; stroke-opacity: .55; }
.faint { stroke-opacity: .25; }
.axis { stroke: var(--quiet); stroke-width: 1.5; stroke-dasharray: 4 3; }
.point { fill: var(--ink); }
.bar-core { fill: var(--core); } .bar-rim { fill: var(--rim); fill-opacity: .5; }
.tick { stroke: var(--ink); stroke-width: 2; }
"""

WEIGHTS = (0.02, 1.0)
"""λ₁ and λ₂ of the distance, as RConE has them."""


class Picture:
    """An SVG of a size.

    Args:
        width: Pixels.
        height: Pixels.
        title: What it shows, for readers without eyes on it.
    """

    def __init__(self, width: int, height: int, title: str) -> None:
        self.root = ET.Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "viewBox": f"0 0 {width} {height}",
                "width": str(width),
                "height": str(height),
                "role": "img",
            },
        )
        ET.SubElement(self.root, "title").text = title
        ET.SubElement(self.root, "style").text = LOOK
        self.add("rect", "ground", width="100%", height="100%", rx=6)

    def add(self, tag: str, look: str, text: str | None = None, **places: float | str) -> None:
        """Add an element; numbers are rounded, so that every machine draws the same."""
        rounded = {
            name: str(round(value, 1)) if isinstance(value, float) else str(value)
            for name, value in places.items()
        }
        made = ET.SubElement(self.root, tag, {"class": look, **rounded})
        made.text = text

    def bytes(self) -> bytes:
        """Return the file."""
        ET.indent(self.root)
        written: bytes = ET.tostring(self.root, encoding="utf-8")
        return written + b"\n"


class Circle:
    """One dimension of a cone: angles on a circle, counted from the right, upwards.

    Args:
        picture: Where it is drawn.
        x: Its centre.
        y: Its centre.
        radius: Pixels.
    """

    def __init__(self, picture: Picture, x: float, y: float, radius: float) -> None:
        self.picture, self.x, self.y, self.radius = picture, x, y, radius
        picture.add("circle", "circle", cx=x, cy=y, r=radius)

    def at(self, angle: float, radius: float | None = None) -> tuple[float, float]:
        """Return where an angle lies."""
        length = self.radius if radius is None else radius
        return self.x + length * math.cos(angle), self.y - length * math.sin(angle)

    def arc(self, start: float, end: float, look: str) -> None:
        """Draw an arc from one angle up to another."""
        (x, y), (u, v) = self.at(start), self.at(end)
        large = int(end - start > math.pi)
        radius = self.radius
        path = f"M {x:.1f} {y:.1f} A {radius:.1f} {radius:.1f} 0 {large} 0 {u:.1f} {v:.1f}"
        self.picture.add("path", look, d=path)

    def cone(self, cone: RoughCone, look: str = "") -> None:
        """Draw a rough cone: its axis, its core, and its rim on both sides."""
        axis, core, rim = cone.axis.item(), cone.half_core.item(), cone.rim.item()
        (x, y) = self.at(axis)
        self.picture.add("line", f"axis {look}", x1=self.x, y1=self.y, x2=x, y2=y)
        if core > 0:
            self.arc(axis - core, axis + core, f"core {look}")
        if rim > 0:
            self.arc(axis + core, axis + core + rim, f"rim {look}")
            self.arc(axis - core - rim, axis - core, f"rim {look}")

    def point(self, angle: float, text: str) -> None:
        """Mark an entity."""
        x, y = self.at(angle)
        self.picture.add("circle", "point", cx=x, cy=y, r=4)
        u, v = self.at(angle, self.radius + 14)
        anchor = "start" if math.cos(angle) > 0.2 else "end" if math.cos(angle) < -0.2 else "middle"
        self.picture.add("text", "label", text, x=u, y=v + 4, **{"text-anchor": anchor})

    def caption(self, title: str, note: str) -> None:
        """Write below."""
        self.picture.add("text", "middle", title, x=self.x, y=self.y + self.radius + 34)
        self.picture.add("text", "quiet middle", note, x=self.x, y=self.y + self.radius + 52)


def rough(axis: float, core: float, rim: float) -> RoughCone:
    """Return a rough cone of one dimension; degrees."""
    values = (torch.tensor([[math.radians(value)]]) for value in (axis, core, rim))
    return RoughCone(*values)


def draw_cone() -> Picture:
    """Draw one dimension of a rough cone, with entities and their distances."""
    picture = Picture(640, 320, "One dimension of a rough cone: axis, core, rim, four entities")
    cone = rough(70, 35, 25)
    circle = Circle(picture, 190, 160, 100)
    circle.cone(cone)
    entities = {"a": 80.0, "b": 120.0, "c": 145.0, "d": 290.0}
    angles = torch.tensor([[[math.radians(angle)] for angle in entities.values()]])
    far = distance(cone, angles, WEIGHTS)[0].tolist()
    for (name, angle), length in zip(entities.items(), far, strict=True):
        circle.point(math.radians(angle), f"{name}  {length:.2f}")
    notes = (
        ("core: surely answers", "core"),
        ("rim: may hold answers", "rim"),
        ("axis: the middle of the set", "axis"),
    )
    for place, (text, look) in enumerate(notes):
        y = 110 + 34 * place
        picture.add("line", look, x1=390, y1=y, x2=420, y2=y)
        picture.add("text", "note", text, x=432, y=y + 5)
    picture.add("text", "quiet", "Number: distance to the cone", x=390, y=222)
    return picture


def draw_operators() -> Picture:
    """Draw what projection, intersection and negation do to a cone."""
    picture = Picture(760, 260, "Projection, intersection and negation of rough cones")
    first, second = rough(100, 40, 20), rough(45, 45, 25)
    circle = Circle(picture, 130, 105, 70)
    circle.cone(first, "faint")
    turn = (torch.tensor([[math.radians(value)]]) for value in (-70, 12, 8))
    circle.cone(translate(first, *turn))
    circle.caption("projection", "turned and widened by the relation")
    circle = Circle(picture, 380, 105, 70)
    circle.cone(first, "faint")
    circle.cone(second, "faint")
    ones, even = torch.ones(1, 1), torch.zeros(2, 1, 1)
    circle.cone(intersect((first, second), even, 0.8 * ones, ones))
    circle.caption("intersection", "mean axis; no wider than the narrowest")
    circle = Circle(picture, 630, 105, 70)
    circle.cone(first, "faint")
    circle.cone(complement(first))
    circle.caption("negation", "the rest is the core; the rim stays")
    return picture


def draw_rough_truth() -> Picture:
    """Draw lower, truth and upper value of the answers of a question over a small graph."""
    rows = list(_rough_truths())
    picture = Picture(640, 60 + 34 * len(rows), "Rough truth of answers as intervals")
    left, width = 170, 400
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = left + share * width
        picture.add("text", "quiet middle", f"{share:g}", x=x, y=24)
        picture.add("line", "axis", x1=x, y1=32, x2=x, y2=44 + 34 * len(rows))
    for place, (name, lower, truth, upper) in enumerate(rows):
        y = 44 + 34 * place
        picture.add("text", "label", name, x=20, y=y + 15)
        picture.add("rect", "bar-core", x=left, y=y + 2, width=lower * width, height=16)
        picture.add(
            "rect", "bar-rim", x=left + lower * width, y=y + 2, width=(upper - lower) * width,
            height=16,
        )  # fmt: skip
        at = left + truth * width
        picture.add("line", "tick", x1=at, y1=y - 2, x2=at, y2=y + 22)
    return picture


def _rough_truths() -> Iterator[tuple[str, float, float, float]]:
    """Which countries border one that speaks French, and do not speak Arabic?"""
    names = {
        "td": "Chad", "ne": "Niger", "ng": "Nigeria", "sd": "Sudan", "cm": "Cameroon",
        "fra": "French", "ara": "Arabic",
    }  # fmt: skip
    entities = [
        Entity(key=EntityKey(key), label="Language" if len(key) == 3 else "Country", name=name)
        for key, name in names.items()
    ]
    edges = [
        Edge(
            head=EntityKey(head),
            relation=relation,
            tail=EntityKey(tail),
            provenance=(Provenance(kind="linked", source="a text", probability=probability),),
        )
        for head, relation, tail, probability in (
            ("ng", "borders", "ne", 1.0), ("ne", "borders", "td", 1.0),
            ("sd", "borders", "td", 1.0), ("cm", "borders", "td", 0.6),
            ("td", "speaks", "fra", 1.0), ("ne", "speaks", "fra", 1.0),
            ("sd", "speaks", "ara", 0.75), ("ne", "speaks", "ara", 0.25),
        )
    ]  # fmt: skip
    snapshot = build_snapshot(entities, edges)
    french = Projection("speaks", Anchor(EntityKey("fra")), inverse=True)
    arabic = Projection("speaks", Anchor(EntityKey("ara")), inverse=True)
    tree = Intersection(
        (Labelled("Country"), Projection("borders", french, inverse=True), Negation(arabic))
    )
    answerer = SymbolicAnswerer(snapshot, NoPredictor(snapshot.num_entities))
    found = answerer.rough_truth(tree)
    for place, entity in enumerate(found.ids.tolist()):
        lower, truth, upper = (float(found.values[row, place]) for row in (LOWER, TRUTH, UPPER))
        yield snapshot.names[entity], lower, truth, upper


def pictures() -> dict[str, bytes]:
    """Return every picture by its file name."""
    return {
        "cone.svg": draw_cone().bytes(),
        "cone-operators.svg": draw_operators().bytes(),
        "rough-truth.svg": draw_rough_truth().bytes(),
    }


if __name__ == "__main__":
    for name, content in pictures().items():
        (FOLDER / name).write_bytes(content)
