"""Entities whose name a surface is, or stands for: the same name, its initials, an adjective."""

from __future__ import annotations

import re

from linkers.boosted.demonyms import COUNTRY_OF
from linkers.boosted.entity_table import EntityTable, cleaned
from linkers.names import normalised

__all__ = ["SOURCES", "named_alike"]

SOURCES = ("same name", "initials", "adjective")
"""What `named_alike` tells apart."""

_ENDING = re.compile(r"['’]s?$")


def named_alike(table: EntityTable, surface: str) -> tuple[tuple[int, ...], ...]:
    """Return ids by each of `SOURCES`."""
    same = dict.fromkeys(
        (*table.by_name.get(normalised(surface), ()), *table.by_name.get(cleaned(surface), ()))
    )
    letters = _ENDING.sub("", surface.strip()).replace(".", "")
    short = table.abbreviated(letters) if letters.isupper() else ()
    country = COUNTRY_OF.get(surface.strip().casefold(), COUNTRY_OF.get(cleaned(surface), ""))
    return tuple(same), short, table.by_name.get(normalised(country), ()) if country else ()
