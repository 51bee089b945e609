"""Partner and border lists of the Factbook, taken apart into mentions.

The lists look regular and are not: names hold commas ("Bahamas, The 13%"), borders are divided by
commas in some countries, one entry names a country twice ("Spain (Ceuta) 8 km and Spain (Melilla)
10.5 km"), some lists have no percentages, and one border list is a note.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["border_mentions", "list_mentions", "partner_mentions"]

PARTNER_FIELDS = {"export_partners": "exports_to", "import_partners": "imports_from"}
BORDER_LISTS = ("border countries", "regional borders", "border sovereign base areas")
YEAR = re.compile(r"\s*\((\d{4})(?: est\.)?\)\s*$")
PARTNER = re.compile(r"(?P<name>[^\s%][^%]*?) (?P<percent>\d+(?:\.\d+)?)%(?:, )?")
ALMOST = re.compile(r"almost entirely (?P<name>.+)")
BORDER = re.compile(
    r"(?P<name>[^\s(;,][^(;,]*?)(?: \((?P<bracket>[^)]*)\))? (?P<km>\d[\d,]*(?:\.\d+)?) km"
    r"(?: \([^)]*\))?(?:[;,] | and |$)"
)
WHOLE_NAMES = frozenset({"Holy See (Vatican City)"})
"""Names whose bracket is part of the name; elsewhere it says which part of the country."""


def list_mentions(page: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a record for each name in the partner and border lists of one page."""
    for field, relation in PARTNER_FIELDS.items():
        if page.get(field):
            for record in partner_mentions(page[field]):
                yield _record(page["entity_id"], field, relation, page[field], record)
    boundaries = page.get("land_boundaries")
    if isinstance(boundaries, dict):
        for name in BORDER_LISTS:
            text = boundaries.get(name, "")
            for record in border_mentions(text):
                yield _record(page["entity_id"], "land_boundaries", "borders", text, record)


def partner_mentions(text: str) -> Iterator[dict[str, Any]]:
    """Yield start, end, percent and year of each partner in a list of trade partners.

    Raises:
        ValueError: Part of the text is not understood; nothing is dropped silently.
    """
    found = YEAR.search(text)
    year = int(found[1]) if found else None
    body = text[: found.start()] if found else text
    if only := ALMOST.fullmatch(body):
        yield {"start": only.start("name"), "end": only.end("name"), "percent": None, "year": year}
    elif "%" not in body:
        for name in re.finditer(r"[^\s,][^,]*", body):
            yield {"start": name.start(), "end": name.end(), "percent": None, "year": year}
    else:
        for match in _covering(PARTNER, body):
            percent = float(match["percent"])
            yield {"start": match.start("name"), "end": match.end("name"), "percent": percent} | {
                "year": year
            }


def border_mentions(text: str) -> Iterator[dict[str, Any]]:
    """Yield start, end and km of each neighbour in a list of land borders.

    Raises:
        ValueError: Part of the text is not understood.
    """
    for match in _covering(BORDER, text):
        end = match.end("name")
        if match["bracket"] and text[match.start("name") : match.end("bracket") + 1] in WHOLE_NAMES:
            end = match.end("bracket") + 1
        km = float(match["km"].replace(",", ""))
        yield {"start": match.start("name"), "end": end, "km": km, "year": None}


def _covering(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Yield matches that follow each other without a gap from the start to the end."""
    place = 0
    while place < len(text):
        match = pattern.match(text, place)
        if match is None:
            raise ValueError(f"not understood at {place}: {text[place:]!r} of {text!r}")
        yield match
        place = match.end()


def _record(
    source: str, field: str, relation: str, context: str, found: dict[str, Any]
) -> dict[str, Any]:
    start, end = found["start"], found["end"]
    identity = "\x00".join((source, field, context, str(start)))
    return {
        "id": "list-" + hashlib.sha256(identity.encode()).hexdigest()[:12],
        "mention": context[start:end],
        "context": context,
        "start": start,
        "end": end,
        "source_entity": source,
        "field": field,
        "relation": relation,
        **{name: value for name, value in found.items() if name not in ("start", "end")},
    }
