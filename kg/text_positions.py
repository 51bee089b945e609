"""Where a place of a query's text is, as people count: from line 1, column 1."""

from __future__ import annotations

from typing import TypedDict

__all__ = ["Place", "place_of"]


class Place(TypedDict):
    """The fields of an error that say where in a text it is."""

    position: int
    line: int
    column: int


def place_of(text: str, offset: int) -> Place:
    r"""Return the place of a character.

    Args:
        text: The whole text; a line ends with a line feed.
        offset: Characters before it.

    Example:
        >>> place_of("MATCH (n)\nRETURN", 10)
        {'position': 10, 'line': 2, 'column': 1}
    """
    line = text.count("\n", 0, offset) + 1
    return {"position": offset, "line": line, "column": offset - text.rfind("\n", 0, offset)}
