"""What a document is made of: passages, tables and figures in their order, with their places."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Figure", "Passage", "Place", "Table", "Unit", "line_starts", "squeezed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a unit stands in the file.

    Attributes:
        start: First character, from 0.
        end: One past the last.
        section: Headings above it, the outermost first.
    """

    start: int
    end: int
    section: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph, an item of a list, a quotation or a block of code.

    Attributes:
        text: Its words, white space squeezed; code as it is.
        place: Where it stands.
    """

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        rows: Texts of its cells, the head first.
        place: Where it stands.
        caption: What is said of it.
    """

    rows: tuple[tuple[str, ...], ...]
    place: Place
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture.

    Attributes:
        picture: What the document calls it: a path, a data URL or an address.
        place: Where it stands.
        caption: What is said of it.
    """

    picture: str
    place: Place
    caption: str = ""


Unit = Passage | Table | Figure


def line_starts(text: str) -> list[int]:
    r"""Return where the lines of a text begin; the readers count line feeds alone.

    Example:
        >>> line_starts("a\nbc\n")
        [0, 2, 5]
    """
    return [0, *(found.end() for found in re.finditer("\n", text))]


def squeezed(text: str) -> str:
    r"""Return a text whose white space is single spaces.

    Example:
        >>> squeezed(" a\n  b ")
        'a b'
    """
    return " ".join(text.split())
