"""HTML by Beautiful Soup: every text that a reader sees stands in exactly one unit.

A text belongs to the innermost block around it, so that a list within an item, or words between two
blocks, are not lost. A span reaches from the first letter of a passage to its last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import islice
from typing import Any

from kg.documents.units import Figure, Passage, Place, Table, Unit, line_starts, squeezed
from kg.errors import LimitError

__all__ = ["html_units"]

_HIDDEN = frozenset(
    ("head", "script", "style", "template", "noscript", "nav", "svg", "iframe", "object")
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "dd", "details", "div", "dl", "dt"),
        *("fieldset", "figure", "figcaption", "footer", "form", "header", "html", "li", "main"),
        *("ol", "p", "pre", "section", "summary", "ul", *_HEADINGS),
    )
)
_TABLE, _UNREAD = object(), object()
"""In place of a block: a table reads its words itself; nobody reads them."""
MAX_TAGS = 500_000
"""Tags of a document: each is an object in memory."""
_NEAR = 4_096
"""Characters behind what was read last in which a text is looked for."""
_AROUND = 4
"""Elements between a picture and its figure."""


@dataclass(slots=True)
class _Open:
    """What is being read.

    Attributes:
        source: The whole text.
        starts: Offsets of its lines.
        headings: Level and text of those above.
        words: Texts of the block that is open.
        block: The block.
        span: Where the first of its texts begins, and the last one ends.
        seen: Up to where the text has been read.
    """

    source: str
    starts: list[int]
    headings: list[tuple[int, str]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    block: Any = None
    span: tuple[int, int] | None = None
    seen: int = 0

    def place(self, start: int, end: int) -> Place:
        return Place(start=start, end=end, section=tuple(name for _, name in self.headings))

    def pass_tag(self, node: Any) -> int:
        """Go on behind an element's first tag; return where that begins."""
        start = _offset(node, self.starts)
        self.seen = max(self.seen, self.source.find(">", start) + 1)
        return start

    def add(self, text: str) -> None:
        """Add a text to the open block, and find where it stands."""
        self.words.append(text)
        said = text.strip()
        if not said:
            return
        written = (said, escape(said, quote=False), escape(said))
        most = self.seen + 2 * len(written[2]) + _NEAR
        places = ((self.source.find(one, self.seen, most), len(one)) for one in written)
        start, size = next((row for row in places if row[0] >= 0), (self.seen, len(said)))
        self.seen = min(start + size, len(self.source))
        self.span = (start if self.span is None else self.span[0], self.seen)

    def closed(self) -> Iterator[Unit]:
        """End the open block: a heading goes above what follows, other words are a passage."""
        name = getattr(self.block, "name", "")
        whole, span = "".join(self.words), self.span or (self.seen, self.seen)
        text = whole.strip("\n") if name == "pre" else squeezed(whole)
        self.words, self.block, self.span = [], None, None
        if not text.strip():
            return
        if name in _HEADINGS:
            level = int(name[1])
            self.headings = [one for one in self.headings if one[0] < level]
            self.headings.append((level, text))
        else:
            yield Passage(text, self.place(*span))


def html_units(text: str) -> Iterator[Unit]:
    """Iterate the units of an HTML text.

    Example:
        >>> html = "<h1>Rivers</h1><ul><li>Nile <b>long</b><ul><li>Blue Nile</li></ul></li></ul>"
        >>> [(unit.text, unit.place.section) for unit in html_units(html)]
        [('Nile long', ('Rivers',)), ('Blue Nile', ('Rivers',))]

    Raises:
        LimitError: It has too many tags.
    """
    from bs4 import BeautifulSoup
    from bs4.element import NavigableString, PreformattedString, Tag

    if text.count("<") > MAX_TAGS:
        raise LimitError(f"HTML of more than {MAX_TAGS:,} tags")
    soup = BeautifulSoup(text, "html.parser")
    figures = _Figures()
    state = _Open(text, line_starts(text))
    block_of: dict[int, Any] = {id(soup): soup}  # of each element, the block that its words are of
    for node in soup.descendants:
        outer = block_of[id(node.parent)]
        if isinstance(node, Tag):
            block_of[id(node)] = own = _block(node, outer, figures)
            start = state.pass_tag(node)
            if own is _TABLE and outer is not _TABLE:
                yield from state.closed()
                yield _table(node, state.place(start, max(start, text.find("</table", start))))
            elif node.name == "img" and own is not _UNREAD:
                yield from state.closed()
                place = state.place(start, state.seen)
                yield Figure(str(node.get("src") or ""), place, figures.caption(node))
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            if outer is _TABLE or outer is _UNREAD:
                continue
            if outer is not state.block:
                yield from state.closed()
                state.block = outer
            state.add(str(node))
    yield from state.closed()


def _block(node: Any, outer: Any, figures: _Figures) -> Any:
    """Return the block that the words of an element are of, or who reads them else."""
    if outer is _UNREAD or node.name in _HIDDEN:
        return _UNREAD
    if outer is _TABLE or node.name == "table":
        return _TABLE
    if node.name == "figcaption" and figures.around(node).pictures:
        return _UNREAD  # the picture says it
    return node if node.name in _BLOCKS else outer


@dataclass(frozen=True, slots=True)
class _Figure:
    pictures: bool = False
    caption: str = ""


class _Figures:
    """The figures of a document, each looked into once."""

    def __init__(self) -> None:
        self._known: dict[int, _Figure] = {}

    def around(self, node: Any) -> _Figure:
        """Return the figure right around an element; one that holds nothing if there is none."""
        near = islice(node.parents, _AROUND)
        found = next((one for one in near if one.name == "figure"), None)
        if found is None:
            return _Figure()
        if id(found) not in self._known:
            caption = found.find("figcaption")
            said = "" if caption is None else squeezed(caption.get_text(" "))
            self._known[id(found)] = _Figure(found.find("img") is not None, said)
        return self._known[id(found)]

    def caption(self, node: Any) -> str:
        """Return what is said of a picture: its alternative text and its figure's caption."""
        said = (squeezed(str(node.get("alt") or "")), self.around(node).caption)
        return "; ".join(dict.fromkeys(one for one in said if one))


def _offset(node: Any, starts: list[int]) -> int:
    line = getattr(node, "sourceline", None)
    if line is None:
        return 0
    start: int = starts[min(line, len(starts)) - 1]
    return start + int(node.sourcepos or 0)


def _table(node: Any, place: Place) -> Table:
    caption = node.find("caption")
    rows = tuple(
        tuple(squeezed(cell.get_text(" ")) for cell in row.find_all(("th", "td")))
        for row in node.find_all("tr")
    )
    return Table(rows, place, "" if caption is None else squeezed(caption.get_text(" ")))
