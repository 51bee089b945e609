"""A proof as a picture: one SVG file that needs nothing else and reads on light and dark ground.

The outline of `reasoning.explanations.outline` with a line from each statement to the one it
belongs to. No font is loaded; widths are estimated, so long statements are broken early.
"""

from __future__ import annotations

import unicodedata
from xml.etree import ElementTree as ET

from reasoning.explanations.outline import Line, Mark, Notes, no_notes, outline, readable
from reasoning.explanations.shown import NodeView

__all__ = ["WIDTH", "proof_svg"]

WIDTH = 760
"""Width of a picture in pixels."""

_MAX_LINES = 400
_MARGIN, _INDENT, _MAX_DEPTH, _ROW, _SMALL_ROW = 16, 22, 12, 24, 18
_LETTER, _BOLD_LETTER, _SMALL_LETTER = 8.0, 9.2, 6.8
"""Estimated pixels a letter; generous, since fonts differ."""
_NUMBER_WIDTH = 60

_LOOK = """
svg { --ground: #ffffff; --ink: #1b1f24; --quiet: #5c6670; --known: #11734b; --predicted: #9a5b00;
      --absent: #a3223c; --joint: #c3cad1; }
@media (prefers-color-scheme: dark) {
  svg { --ground: #15191e; --ink: #e7ebef; --quiet: #9aa5b1; --known: #58c796; --predicted: #e8ab4f;
        --absent: #f0798f; --joint: #47515b; }
}
.ground { fill: var(--ground); }
text { fill: var(--ink); font: 14px system-ui, sans-serif; }
.title { font-weight: 600; }
.note { fill: var(--quiet); font-size: 12px; }
.known { fill: var(--known); } .predicted { fill: var(--predicted); }
.absent, .not { fill: var(--absent); } .fact, .gap, .all, .any { fill: var(--quiet); }
.joint { stroke: var(--joint); fill: none; }
"""

_SIGNS: dict[Mark, str] = {
    "known": "✓",
    "predicted": "≈",
    "absent": "∅",
    "fact": "•",
    "gap": "–",
    "all": "∧",
    "any": "∨",
    "not": "¬",
}


def proof_svg(node: NodeView, notes: Notes = no_notes) -> bytes:
    """Return a proof as an SVG file, `WIDTH` pixels wide.

    Args:
        node: The root of the tree (`reasoning.explanations.shown.show`).
        notes: What else to say of an edge: sources, reasons.
    """
    drawing = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img"})
    ET.SubElement(drawing, "title").text = f"Why {readable(node.name)}"
    ET.SubElement(drawing, "style").text = _LOOK
    ground = ET.SubElement(drawing, "rect", {"class": "ground", "width": "100%", "height": "100%"})
    ground.set("rx", "6")
    canvas = _Canvas(drawing)
    canvas.title(readable(node.name), node.truth)
    lines = outline(node, notes)
    for line in lines[:_MAX_LINES]:
        canvas.draw(line)
    if len(lines) > _MAX_LINES:
        canvas.small(f"… and {len(lines) - _MAX_LINES} more lines", _MARGIN)
    height = canvas.bottom + _MARGIN
    drawing.set("viewBox", f"0 0 {WIDTH} {height}")
    drawing.set("width", str(WIDTH))
    drawing.set("height", str(height))
    ET.indent(drawing)
    made: bytes = ET.tostring(drawing, encoding="utf-8", xml_declaration=True)
    return made


class _Canvas:
    """Writes lines one below the other.

    Args:
        drawing: The SVG element.
    """

    def __init__(self, drawing: ET.Element) -> None:
        self._drawing = drawing
        self.bottom = _MARGIN
        self._joints: dict[int, int] = {}

    def title(self, name: str, truth: float) -> None:
        """Write the answer."""
        self.bottom += _ROW
        room = WIDTH - 2 * _MARGIN - _NUMBER_WIDTH
        for place, part in enumerate(_broken(name, room, _BOLD_LETTER)):
            self.bottom += _ROW if place else 0
            self._text(part, _MARGIN, "title")
        self._number(truth)
        self._joints = {-1: self.bottom + 6}

    def draw(self, line: Line) -> None:
        """Write a line, joined to the last one that is indented less, with its notes below."""
        depth = min(line.depth, _MAX_DEPTH)
        left = _MARGIN + _INDENT * (depth + 1)
        self.bottom += _ROW
        self._join(depth, left)
        self._text(_SIGNS[line.mark], left, line.mark)
        room = WIDTH - _MARGIN - _NUMBER_WIDTH - left - _INDENT
        self._number(line.truth)
        for place, part in enumerate(_broken(line.text, room, _LETTER)):
            self.bottom += _ROW if place else 0
            self._text(part, left + _INDENT)
        for note in line.notes:
            self.small(note, left + _INDENT)
        self._joints[depth] = self.bottom + 6

    def small(self, note: str, left: int) -> None:
        """Write a note."""
        for part in _broken(note, WIDTH - _MARGIN - left, _SMALL_LETTER):
            self.bottom += _SMALL_ROW
            self._text(part, left, "note")

    def _join(self, depth: int, left: int) -> None:
        start = self._joints.get(depth - 1, self.bottom)
        side, middle = left - _INDENT + 5, self.bottom - 5
        path = f"M {side} {start} V {middle} H {left - 4}"
        ET.SubElement(self._drawing, "path", {"class": "joint", "d": path})

    def _number(self, truth: float) -> None:
        place = {"x": str(WIDTH - _MARGIN), "y": str(self.bottom), "text-anchor": "end"}
        ET.SubElement(self._drawing, "text", place).text = f"{truth:.3f}"

    def _text(self, text: str, left: int, look: str | None = None) -> None:
        place = {"x": str(left), "y": str(self.bottom)}
        if look is not None:
            place["class"] = look
        ET.SubElement(self._drawing, "text", place).text = text


def _broken(text: str, room: float, letter: float) -> list[str]:
    """Return a text in pieces that fit, broken at spaces where there are any."""
    pieces, current, width = [], "", 0.0
    for word in text.replace(" ", " \0").split("\0"):
        size = _width(word, letter)
        if current and width + size > room:
            pieces.append(current.rstrip())
            current, width = "", 0.0
        while size > room:
            fitting = _fitting(word, room, letter)
            pieces.append(word[:fitting])
            word = word[fitting:]
            size = _width(word, letter)
        current, width = current + word, width + size
    return [*pieces, current.rstrip()] if current.strip() or not pieces else pieces


def _fitting(word: str, room: float, letter: float) -> int:
    """Return how many letters of a word fit, at least one."""
    count, width = 0, 0.0
    while count < len(word) and width <= room:
        width += _width(word[count], letter)
        count += 1
    return max(1, count - 1)


def _width(text: str, letter: float) -> float:
    return sum(2 * letter if unicodedata.east_asian_width(c) in "WF" else letter for c in text)
