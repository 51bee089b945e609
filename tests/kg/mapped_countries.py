"""Rows of countries, and mappings of them."""

import json
from pathlib import Path

from kg.errors import ImageError
from kg.mapped_rows import MappedRow, edge_rows, entity_rows
from kg.mapping import GraphMapping, load_mapping
from kg.model import ImageRef

ROWS = [
    {
        "id": "AL",
        "name": {"common": "Albania"},
        "also": ["Shqipëria", "Arnavutluk"],
        "area": 28748,
        "at": [41, 20],
        "landlocked": False,
        "languages": {"sqi": "Albanian"},
        "borders": ["GR", "XK"],
    },
    {"id": "GR", "name": {"common": "Greece"}, "area": "big", "languages": {}, "borders": ["AL"]},
    {"id": None, "name": {"common": "Nowhere"}, "borders": "AL"},
]
COUNTRY = """
[[entities]]
file = "rows.jsonl"
label = "Country"
key = "country:{id}"
name = "{name.common}"
"""
BORDERS = """
[[edges]]
file = "rows.jsonl"
head = "country:{id}"
relation = "borders"
tail = "country:{each}"
each = "borders"
"""


def declared(tmp_path: Path, text: str, rows=ROWS) -> GraphMapping:
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "rows.jsonl").write_text(lines)
    (tmp_path / "graph.toml").write_text(text)
    return load_mapping(tmp_path / "graph.toml")


def picture(name: str) -> ImageRef:
    if "AL" not in name:
        raise ImageError("no such file", where=name)
    return ImageRef(sha256="0" * 64, width=1, height=1, source=name)


def entities(mapping: GraphMapping) -> list[MappedRow]:
    return [row for table in mapping.entities for row in entity_rows(table, picture)]


def edges(mapping: GraphMapping) -> list[MappedRow]:
    return [row for table in mapping.edges for row in edge_rows(table)]


def rejects(rows: list[MappedRow]) -> list[tuple[int, str | None, str]]:
    return [(each.line, each.column, each.reason) for row in rows for each in row.rejects]
