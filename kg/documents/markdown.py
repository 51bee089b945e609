"""Markdown by markdown-it: CommonMark and its tables. Spans are whole lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kg.documents.html import html_units
from kg.documents.units import Figure, Passage, Place, Table, Unit, line_starts, squeezed
from kg.errors import LimitError

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["markdown_units"]

MAX_NESTING = 100
_WORDS = ("text", "code_inline")
_BREAKS = ("softbreak", "hardbreak")


def markdown_units(text: str) -> Iterator[Unit]:
    r"""Iterate the units of a Markdown text.

    Example:
        >>> units = list(markdown_units("# Rivers\n\nThe Nile is long.\n\n![a map](nile.png)\n"))
        >>> units[0].text, units[0].place.section, units[1].picture
        ('The Nile is long.', ('Rivers',), 'nile.png')

    Raises:
        LimitError: It is nested too deeply.
    """
    from markdown_it import MarkdownIt

    starts = [*line_starts(text), len(text)]
    options = {"html": True, "maxNesting": MAX_NESTING}
    tokens = MarkdownIt("commonmark", options).enable("table").parse(text)
    if any(token.level >= MAX_NESTING - 1 for token in tokens):  # the rest would be left out
        raise LimitError(f"Markdown that is nested deeper than {MAX_NESTING}")
    headings: list[tuple[int, str]] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.map is None or token.type not in _READ:
            at += 1
            continue
        end = _end_of(tokens, at)
        inside = tokens[at : end + 1]
        if token.type == "heading_open":
            level = int(token.tag[1])
            headings = [one for one in headings if one[0] < level]
            headings.append((level, _words(inside[1].children or ())))
        place = Place(
            start=starts[token.map[0]],
            end=starts[min(token.map[1], len(starts) - 1)],
            section=tuple(name for _, name in headings),
        )
        if token.type != "heading_open":
            yield from _units(inside, place)
        for inline in (one for one in inside if one.type == "inline"):
            yield from _figures(inline.children or (), place)
        at = end + 1


_READ = ("heading_open", "paragraph_open", "table_open", "fence", "code_block", "html_block")
"""Tokens that are units; lists and quotations are read by what stands in them."""


def _end_of(tokens: Sequence[Token], at: int) -> int:
    depth = 0
    for place in range(at, len(tokens)):
        depth += tokens[place].nesting
        if depth == 0:
            return place
    return len(tokens) - 1


def _units(inside: Sequence[Token], place: Place) -> Iterator[Unit]:
    first = inside[0]
    if first.type == "table_open":
        yield _table(inside, place)
    elif first.type == "html_block":
        for unit in html_units(first.content):
            yield _moved(unit, place)
    elif first.type in ("fence", "code_block"):
        if first.content.strip():
            yield Passage(first.content.rstrip("\n"), place)
    elif words := _words(inside[1].children or ()):
        yield Passage(words, place)


def _figures(children: Sequence[Token], place: Place) -> Iterator[Figure]:
    for child in children:
        if child.type == "image":
            yield Figure(str(child.attrs.get("src", "")), place, squeezed(child.content))


def _table(inside: Sequence[Token], place: Place) -> Table:
    rows: list[list[str]] = []
    for token in inside:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            rows[-1].append(_words(token.children or ()))
    return Table(tuple(map(tuple, rows)), place)


def _words(children: Sequence[Token]) -> str:
    """Return the words of a line, without marks; of a picture none."""
    parts = (
        child.content if child.type in _WORDS else " " if child.type in _BREAKS else ""
        for child in children
    )
    return squeezed("".join(parts))


def _moved(unit: Unit, place: Place) -> Unit:
    """Return a unit of a block of HTML at the block's place."""
    match unit:
        case Passage(text=text):
            return Passage(text, place)
        case Table(rows=rows, caption=caption):
            return Table(rows, place, caption)
        case Figure(picture=picture, caption=caption):
            return Figure(picture, place, caption)
