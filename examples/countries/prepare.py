"""Make every data file of this folder from its sources; the same input gives the same bytes.

Run from the root of the repository::

    python -m examples.countries.prepare --source FOLDER --flags FOLDER

``--source`` holds `countries.jsonl.gz` (world-countries), `factbook.jsonl.gz`, `mentions.jsonl.gz`,
`flag_descriptions.jsonl.gz`, `flags_256x192.npz`, `drawn_alike.json` and `withheld_entities.txt`;
``--flags`` is the folder `png1000px` of the npm package svg-country-flags 1.2.10.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from examples.countries.flags import encode, flatten, shrink
from examples.countries.lists import list_mentions

__all__ = ["aliases", "country", "main"]

HERE = Path(__file__).parent
COPIED = {
    "mentions.jsonl.gz": "mentions.jsonl.gz",
    "flag_descriptions.jsonl.gz": "flag_descriptions.jsonl.gz",
    "flags_256x192.npz": "mention_flags.npz",
    "drawn_alike.json": "drawn_alike.json",
    "withheld_entities.txt": "withheld_entities.txt",
}
ALIAS_LANGUAGES = (
    "ces",
    "deu",
    "fra",
    "hrv",
    "ita",
    "jpn",
    "nld",
    "per",
    "slk",
    "spa",
    "swe",
    "urd",
)
"""Translations that may be aliases; the other eleven are the answers of a group of mentions."""

NO_ALIAS = {
    "IS": {"Island"},
    "SA": {"Saudi"},
    "TH": {"Thai"},
    "DO": {"The Dominican"},
    "FK": {"Falkland Islands (Islas Malvinas)"},
    "SJ": {
        "Svalbard (sometimes referred to as Spitsbergen, the largest island in the archipelago)"
    },
    "VA": {"Holy See (Vatican City)"},
}
"""Words that are no names of their country, or that no text would use."""

ONE_NAME = {
    "sot": "Southern Sotho",
    "ron": "Romanian",
    "GBP": "British pound",
    "DKK": "Danish krone",
    "NOK": "Norwegian krone",
}
"""Languages and currencies that the source calls by two names."""


def main() -> None:
    """Write all files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--flags", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    source, out = arguments.source, arguments.out
    rows = list(read_rows(source / "countries.jsonl.gz"))
    pages = {page["entity_id"]: page for page in read_rows(source / "factbook.jsonl.gz")}
    codes = {row["cca3"]: row["cca2"] for row in rows}
    countries = (country(row, pages.get(row["cca2"]), codes) for row in rows)
    write_rows(out / "countries.jsonl.gz", sorted(countries, key=lambda row: row["cca2"]))
    mentions = (record for key in sorted(pages) for record in list_mentions(pages[key]))
    write_rows(out / "list_mentions.jsonl.gz", mentions)
    for name, ours in COPIED.items():
        shutil.copyfile(source / name, out / ours)
    write_flags(arguments.flags, out / "flags", sorted(codes.values()))


def country(
    row: dict[str, Any], page: dict[str, Any] | None, codes: dict[str, str]
) -> dict[str, Any]:
    """Return the fields of a country that the demo uses; what the source lacks is left out."""
    factbook_name = page["factbook_name"] if page else None
    if factbook_name == "none" or factbook_name in NO_ALIAS.get(row["cca2"], ()):
        factbook_name = None
    fields = {
        "cca2": row["cca2"],
        "cca3": row["cca3"],
        "name": {"common": row["name"]["common"], "official": row["name"]["official"]},
        "factbook_name": factbook_name,
        "aliases": aliases(row, factbook_name),
        "languages": {
            code: ONE_NAME.get(code, name) for code, name in (row["languages"] or {}).items()
        },
        "currencies": {
            code: {"name": ONE_NAME.get(code, value["name"]), "symbol": value.get("symbol")}
            for code, value in (row["currencies"] or {}).items()
        },
        "capital": row["capital"],
        "region": row["region"],
        "subregion": row["subregion"] or None,
        "borders": [codes[code] for code in row["borders"]],
        "area": row["area"] if row["area"] > 0 else None,
        "landlocked": row["landlocked"],
        "independent": row["independent"],
        "un_member": row["unMember"],
        "latlng": row["latlng"],
    }
    return {name: value for name, value in fields.items() if value is not None}


def aliases(row: dict[str, Any], factbook_name: str | None) -> list[str]:
    """Return the names of a country that may be aliases, each once, its common name left out.

    Native names, demonyms, capitals and codes are not among them: they are what the groups of
    mentions ask for.
    """
    translations = (row["translations"].get(language, {}) for language in ALIAS_LANGUAGES)
    names = [
        row["name"]["official"],
        factbook_name,
        *(name for name in row["altSpellings"] if name != row["cca2"]),
        *(words.get(kind) for words in translations for kind in ("common", "official")),
    ]
    refused = {None, "", row["name"]["common"], *NO_ALIAS.get(row["cca2"], ())}
    return [name for name in dict.fromkeys(names) if name not in refused]


def write_flags(source: Path, folder: Path, codes: list[str]) -> None:
    """Write the flag of each country as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for code in codes:
        image = shrink(flatten(source / f"{code.lower()}.png"))
        (folder / f"{code}.png").write_bytes(encode(image))


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Iterate the objects of a compressed JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write objects as compressed JSONL without a time stamp."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        for row in rows:
            file.write((json.dumps(row, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    main()
