"""A small demo folder for tests: the shipped data cut down to two dozen countries, tiny encoders.

It runs the very steps of `umbra demo`; only the data and the encoders are smaller.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[2] / "examples" / "countries"
SUBREGIONS = {"Western Asia", "Northern Africa", "Central Asia"}
QUESTIONS = """
[[questions]]
title = "Which countries border one whose flag has a crescent, and do not speak Arabic?"
query = '''
MATCH (c:Country)-[:borders]->(n:Country)-[:has_part]->(p:Part)
      -[:has_label]->(:Shape {key: "shape:crescent"})
WHERE NOT (c)-[:speaks]->(:Language {name: "Arabic"})
RETURN c
'''

[[questions]]
title = "Which countries export to Türkiye or border Iraq?"
query = '''
MATCH (c:Country)-[:exports_to]->(:Country {name: "Türkiye"}) RETURN c
UNION
MATCH (c:Country)-[:borders]->(:Country {name: "Iraq"}) RETURN c
'''

[[questions]]
title = "Which currencies do large neighbours of Iraq use?"
query = '''
MATCH (m:Currency)<-[:uses_currency]-(n:Country)
MATCH (n)-[:borders]->(:Country {name: "Iraq"})
WHERE n.area_km2 > 100000
RETURN m
'''
"""
TINY = {"text_encoder": "tiny", "image_encoder": "tiny"}


def rows(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write(path: Path, content: Iterable[dict[str, Any]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for row in content:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def make(folder: Path, also: Container[str] = ()) -> Path:
    """Write the small demo's files, further countries too, into a folder and return it."""
    folder.mkdir(parents=True)
    countries = [
        row
        for row in rows("countries.jsonl.gz")
        if row.get("subregion") in SUBREGIONS or row["cca2"] in also
    ]
    ids = {row["cca2"] for row in countries}
    for row in countries:
        row["borders"] = [border for border in row["borders"] if border in ids]
    write(folder / "countries.jsonl.gz", countries)
    mentions = rows("mentions.jsonl.gz")
    kept = [m for m in mentions if m["entity_id"] in ids or m.get("nil_reason")]
    write(folder / "mentions.jsonl.gz", [m for m in kept if int(m["id"][-1], 16) % 4 == 0])
    lists = rows("list_mentions.jsonl.gz")
    write(
        folder / "list_mentions.jsonl.gz",
        [m for m in lists if m["source_entity"] in ids and int(m["id"][-1], 16) % 2 == 0],
    )
    flags = rows("flag_descriptions.jsonl.gz")
    write(folder / "flag_descriptions.jsonl.gz", [f for f in flags if f["entity_id"] in ids])
    (folder / "flags").mkdir()
    for key in sorted(ids):
        shutil.copy(DATA / "flags" / f"{key}.png", folder / "flags")
    recipe = (DATA / "demo.toml").read_text(encoding="utf-8").split("[[questions]]")[0]
    recipe = re.sub(r"^(evaluation|full) = .*$", r'\1 = ["symbolic"]', recipe, flags=re.MULTILINE)
    (folder / "demo.toml").write_text(recipe + QUESTIONS, encoding="utf-8")
    for name in ("graph.toml", "drawn_alike.json", "mention_flags.npz"):
        shutil.copy(DATA / name, folder)
    withheld = (DATA / "withheld_entities.txt").read_text().split()
    (folder / "withheld_entities.txt").write_text("\n".join(k for k in withheld if k in ids) + "\n")
    return folder
