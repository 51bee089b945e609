"""Queries over the demo's graph: foreign names, facts of a country, flags; and prose for fitting.

- ``names``: a mention whose form is no name in the graph: foreign names (Arabic, Chinese, Finnish,
  …) and adjectives; the country is meant.
- ``facts``: two or three facts of a country, as "borders Niger, speaks Arabic", that hold for it
  alone; seeded draws.
- ``picture``: the description of a flag, the country's names masked.
- ``prose``, valid alone: half of the first words of the Factbook's background; searched are the
  same entities with these texts as prose.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from api.engine import Engine
from bench.search_graphs import fact_queries, lines_of
from bench.search_sets import MOST, Asked, QuerySet, drawn, flag_set, half_of, masked
from kg.backends.memory import MemoryStore
from kg.model import EntityKey
from kg.store import Store

__all__ = ["DEMO_DATA", "GRAPH", "demo_test", "demo_valid", "in_memory"]

DEMO_DATA = Path("examples/countries")
GROUPS = ("foreign", "adjectives")
LABELS = ("Country",)
GRAPH = "countries"
OPENING = 40
"""First words of a background that are taken as prose."""
SAID = {
    "borders": "borders {}",
    "speaks": "speaks {}",
    "uses_currency": "uses {}",
    "in_subregion": "in {}",
}
"""Relations of a country, as a query says them."""


def in_memory(folder: Path) -> MemoryStore:
    """Return the graph of a working folder in memory: every query reads thousands of edges."""
    store = MemoryStore()
    with Engine.open(folder) as engine:
        store.upsert_entities(engine.store.entities())
        store.upsert_edges(engine.store.edges())
    return store


def _names(path: Path, splits: Sequence[str]) -> Iterator[Asked]:
    """Yield the mentions of some splits that are no names in the demo's graph, each once."""
    meant: dict[str, set[str]] = defaultdict(set)
    for row in lines_of(path):
        if row["split"] in splits and row["group"] in GROUPS:
            meant[row["mention"]].add(row["entity_id"])
    for mention, ids in meant.items():
        if len(ids) == 1:  # one that means two countries has no right answer
            yield Asked(mention, EntityKey(f"country:{ids.pop()}"))


def _facts(store: Store, seed: int) -> Iterator[Asked]:
    """Yield the facts of countries of the demo."""
    names = {entity.key: entity.name for entity in store.entities()}
    edges = (edge for relation in SAID for edge in store.edges(relation=relation))
    return fact_queries(edges, names, SAID, seed, heads="country:")


def demo_valid(store: Store, data: Path, factbook: Path, seed: int) -> list[QuerySet]:
    """Return the sets of the demo's graph, the queries of valid alone."""
    flags = flag_set(store, data / "flag_descriptions.jsonl.gz")
    names = list(_names(data / "mentions.jsonl.gz", ("train", "valid")))
    random.Random(seed).shuffle(names)
    valid = {
        "names": drawn(names, split=lambda _: "valid")["valid"],
        "facts": drawn(_facts(store, seed))["valid"],
        "picture": flags.queries["valid"],
    }
    sets = [QuerySet(kind, store, {"valid": of}, LABELS, GRAPH) for kind, of in valid.items()]
    told = {f"country:{row['entity_id']}": _opening(row["background"]) for row in lines_of(factbook)
            if row.get("background")}  # fmt: skip
    with_prose = MemoryStore()
    with_prose.upsert_entities(
        replace(one, attributes={**one.attributes, "background": told[one.key]})
        if one.key in told
        else one
        for one in store.entities()
    )
    with_prose.upsert_edges(store.edges())
    draw = random.Random(seed)
    names_of = {one.key: (one.name, *one.aliases) for one in store.entities()}
    asked = [
        Asked(half_of(masked(text, names_of[EntityKey(key)]), draw), EntityKey(key))
        for key, text in sorted(told.items())
        if key in names_of
    ]
    valid_prose = drawn(asked)["valid"]
    return [*sets, QuerySet("prose", with_prose, {"valid": valid_prose}, LABELS, GRAPH)]


def demo_test(store: Store, data: Path, seed: int) -> list[QuerySet]:
    """Return the sets of the demo's graph, the queries of test alone."""
    held = {
        "names": list(_names(data / "mentions.jsonl.gz", ("test",)))[:MOST],
        "facts": [one for one in _facts(store, seed) if one.split == "test"][:MOST],
        "picture": flag_set(store, data / "flag_descriptions.jsonl.gz").queries["test"],
    }
    return [QuerySet(kind, store, {"test": asked}, LABELS, GRAPH) for kind, asked in held.items()]


def _opening(text: str) -> str:
    return " ".join(text.split()[:OPENING])
