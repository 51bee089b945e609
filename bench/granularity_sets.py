"""The questions of `bench.granularity`: what is asked of the Factbook, and which characters answer.

Of each country with a page: two ``field`` questions (its climate, religions, …; gold is that
field), one ``fact`` (half of the words of a sentence with a year, asked as a question; gold is the
sentence), one ``keywords`` (half of the words of a sentence, not asked at all; gold is the
sentence) and one ``whole`` (an overview of its history, economy, geography or flag; gold is that
field). Each kind is worded anew for test: no wording of valid is met there. The SHA-256 of the
country's code puts it into valid or test.

Two layouts of the same words: ``fields``, an attribute for each field, and ``one text``, all in one
attribute, a paragraph for each field that begins with its name.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kg.model import Entity, EntityKey
from kg.provenance import Provenance
from kg.text_units import units
from kg.words import words
from reasoning.plain.function_words import EMPTY_WORDS

__all__ = ["KINDS", "LAYOUTS", "Asked", "Page", "asked_of", "countries", "graph"]

KINDS = ("field", "fact", "keywords", "whole")
LAYOUTS = ("fields", "one text")
Page = tuple[str, str, dict[str, str]]
"""Code and name of a country, and its prose by field."""

FIELDS: Mapping[str, tuple[str, str]] = {
    "agricultural_products": (
        "What is grown in {}?",
        "Which crops and animals do farmers of {} raise?",
    ),
    "climate": ("What is the climate of {}?", "How is the weather in {}?"),
    "ethnic_groups": ("Which ethnic groups live in {}?", "Who are the people of {} by origin?"),
    "export_commodities": ("Which commodities does {} export?", "What goods does {} sell abroad?"),
    "export_partners": (
        "Who are the export partners of {}?",
        "To which countries does {} export most?",
    ),
    "government_type": ("What type of government has {}?", "How is {} governed?"),
    "import_partners": (
        "Who are the import partners of {}?",
        "Where do the imports of {} come from?",
    ),
    "independence": ("When did {} gain independence?", "Since when is {} independent?"),
    "industries": ("Which industries are there in {}?", "What is made in the factories of {}?"),
    "languages": ("Which languages are spoken in {}?", "What do people in {} speak?"),
    "location": ("What is the location of {}?", "Where is {}?"),
    "national_colors": ("What are the national colors of {}?", "Which colours stand for {}?"),
    "national_holiday": ("When is the national holiday of {}?", "On which day does {} celebrate?"),
    "national_symbols": (
        "What are the national symbols of {}?",
        "Which animal or plant stands for {}?",
    ),
    "natural_resources": ("Which natural resources has {}?", "What can be mined in {}?"),
    "organizations": (
        "Of which organizations is {} a member?",
        "What international bodies has {} joined?",
    ),
    "religions": ("Which religions are practised in {}?", "What do people in {} believe in?"),
    "terrain": ("What is the terrain of {}?", "What does the land of {} look like?"),
}
"""Wordings of valid and of test for the fields that hold one thing."""
WHOLE: Mapping[str, tuple[str, str]] = {
    "background": ("Give an overview of the history of {}", "Tell me how {} came to be what it is"),
    "economic_overview": ("Describe the economy of {}", "Summarize how {} earns its living"),
    "geography_note": (
        "Describe what is special about the geography of {}",
        "Explain what is remarkable about the land of {}",
    ),
    "flag": ("Describe the flag of {} and what it means", "Explain what the flag of {} shows"),
}
FACT = ("When {} in {}?", "In which year {} in {}?")
KEYWORDS = ("{1} {0}", "{0} {1}")
_YEAR = re.compile(r"\b1[0-9]{3}\b|\b20[0-2][0-9]\b")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and where its answer stands.

    Attributes:
        text: The question.
        kind: One of `KINDS`.
        country: Key of the country that it is about.
        field: Name of the field that answers.
        start: First character of the answer in the field.
        end: One past the last.
    """

    text: str
    kind: str
    country: EntityKey
    field: str
    start: int
    end: int

    @property
    def split(self) -> str:
        """``valid`` or ``test``."""
        return _split(self.country)


def countries(folder: Path) -> list[Page]:
    """Return code, name and prose of all countries with a page, and what is said of their flags."""
    flags = {
        row["entity_id"]: row["description"] for row in _rows(folder / "flag_descriptions.jsonl.gz")
    }
    kept = {*FIELDS, *WHOLE}
    found = []
    for row in _rows(folder / "factbook.jsonl.gz"):
        said = row | {"flag": flags.get(row["entity_id"])}
        prose = {name: said[name] for name in sorted(kept) if isinstance(said.get(name), str)}
        found.append((row["entity_id"], row["name"], prose))
    return found


def graph(
    pages: Sequence[Page], layout: str
) -> tuple[list[Entity], dict[tuple[EntityKey, str], tuple[str, int]]]:
    """Return the countries as entities, and the attribute and character where a field begins."""
    made, begins = [], dict[tuple[EntityKey, str], tuple[str, int]]()
    told = (Provenance(kind="asserted", source="factbook"),)
    for code, name, prose in pages:
        key, attributes = EntityKey(f"country:{code}"), dict(prose)
        begins |= {(key, field): (field, 0) for field in prose}
        if layout == "one text":
            text = ""
            for field, said in prose.items():
                head = f"{field.replace('_', ' ').capitalize()}: "
                begins[key, field] = ("text", len(text) + len(head))
                text += f"{head}{said}\n\n"
            attributes = {"text": text}
        made.append(
            Entity(key=key, label="Country", name=name, attributes=attributes, provenance=told)
        )
    return made, begins


def asked_of(pages: Sequence[Page], seed: int) -> Iterator[Asked]:
    """Iterate the questions, five of a country where it has what they ask for."""
    draw = random.Random(seed)
    for code, name, prose in pages:
        key = EntityKey(f"country:{code}")
        wording = ("valid", "test").index(_split(key))
        has = sorted(set(FIELDS) & set(prose))
        for field in draw.sample(has, min(2, len(has))):
            text = FIELDS[field][wording].format(name)
            yield Asked(text, "field", key, field, 0, len(prose[field]))
        for kind, form in (("fact", FACT), ("keywords", KEYWORDS)):
            if (drawn := _sentence(prose, name, draw, dated=kind == "fact")) is not None:
                field, start, end, half = drawn
                yield Asked(form[wording].format(half, name), kind, key, field, start, end)
        field = draw.choice(sorted(set(WHOLE) & set(prose)))
        text = WHOLE[field][wording].format(name)
        yield Asked(text, "whole", key, field, 0, len(prose[field]))


def _sentence(
    prose: Mapping[str, str], name: str, draw: random.Random, *, dated: bool
) -> tuple[str, int, int, str] | None:
    """Draw a sentence: its field, its place, and half of its words that say something."""
    mine = {word.text for word in words(name)}
    found = []
    for field in ("background",) if dated else tuple(WHOLE):
        text = prose.get(field, "")
        for start, end in units(text, "sentence"):
            said = text[start:end]
            telling = [
                said[w.start : w.end]
                for w in words(said)
                if w.text not in mine | EMPTY_WORDS and not w.text.isdigit()
            ]
            if len(telling) >= 6 and (not dated or len(_YEAR.findall(said)) == 1):
                found.append((field, start, end, telling))
    if not found:
        return None
    field, start, end, telling = draw.choice(found)
    kept = sorted(draw.sample(range(len(telling)), (len(telling) + 1) // 2))
    return field, start, end, " ".join(telling[place] for place in kept)


def _split(key: str) -> str:
    return "valid" if hashlib.sha256(key.encode()).digest()[0] % 2 else "test"


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from (json.loads(line) for line in file)
