"""Plain texts: paragraphs parted by empty lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kg.documents.units import Passage, Place, Unit, squeezed

__all__ = ["plain_units"]

_PARAGRAPH = re.compile(r"\S[^\f]*?(?=\s*(?:\n[^\S\n\f]*\n|\f|\Z))")


def plain_units(text: str) -> Iterator[Unit]:
    r"""Iterate the paragraphs of a text; a form feed ends one too.

    Example:
        >>> [(unit.text, unit.place.start) for unit in plain_units("One\ntwo.\n\nThree.")]
        [('One two.', 0), ('Three.', 10)]
    """
    for found in _PARAGRAPH.finditer(text):
        place = Place(start=found.start(), end=found.end())
        yield Passage(squeezed(found.group()), place)
