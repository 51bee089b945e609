"""The queries of `bench.search`: what is asked, over which entities, and which one is meant."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from kg.backends.memory import MemoryStore
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.store import Store
from kg.words import words

__all__ = ["MOST", "Asked", "QuerySet", "drawn", "fb15k_sets", "flag_set", "half_of", "masked"]

MOST = 250
"""Queries of a set and split."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and the one entity that it means."""

    text: str
    gold: EntityKey

    @property
    def split(self) -> str:
        """``valid`` or ``test``."""
        return "valid" if hashlib.sha256(self.gold.encode()).digest()[0] % 2 else "test"


@dataclass(frozen=True, slots=True)
class QuerySet:
    """Queries over one store."""

    name: str
    store: Store
    queries: Mapping[str, Sequence[Asked]]
    labels: tuple[str, ...] = ()
    graph: str = "FB15k-237"


def masked(text: str, names: Sequence[str]) -> str:
    """Return a text without the words of some names."""
    gone = {word.text for name in names for word in words(name) if len(word.text) > 2}
    return " ".join(text[w.start : w.end] for w in words(text) if w.text not in gone)


def drawn(
    queries: Iterable[Asked], split: Callable[[Asked], str] = attrgetter("split")
) -> dict[str, list[Asked]]:
    """Sort queries that hold words into the splits."""
    found: dict[str, list[Asked]] = {"valid": [], "test": []}
    for asked in queries:
        if any(True for _ in words(asked.text)) and len(found[split(asked)]) < MOST:
            found[split(asked)].append(asked)
        if all(len(some) == MOST for some in found.values()):
            break
    return found


def fb15k_sets(folder: Path, seed: int) -> Iterator[QuerySet]:
    """Yield the sets over the entities and training edges of a folder."""
    draw = random.Random(seed)
    with gzip.open(folder / "entities.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    draw.shuffle(rows)
    edges = list(_edges(folder / "train.tsv.gz", {row["key"] for row in rows}))
    described = [row for row in rows if row.get("description")]

    def store(*, prose: bool, held: Mapping[str, str]) -> MemoryStore:
        made = MemoryStore()
        made.upsert_entities(_entity(row, prose=prose, held=held.get(row["key"])) for row in rows)
        made.upsert_edges(edges)
        return made

    def names(row: Mapping[str, Any]) -> list[str]:
        return [row["label"], *row["aliases"]]

    told = (Asked(masked(r["description"], names(r)), EntityKey(r["key"])) for r in described)
    yield QuerySet("facts", store(prose=False, held={}), drawn(told))
    held = {r["key"]: draw.choice(r["aliases"]) for r in rows if r["aliases"]}
    whole = store(prose=True, held=held)
    half = (Asked(half_of(r["description"], draw), EntityKey(r["key"])) for r in described)
    yield QuerySet("prose", whole, drawn(half))
    aliases = (Asked(alias, EntityKey(key)) for key, alias in held.items())
    yield QuerySet("names", whole, drawn(aliases))


def _entity(row: Mapping[str, Any], *, prose: bool, held: str | None) -> Entity:
    text = row.get("description")
    return Entity(
        key=EntityKey(row["key"]),
        label="Entity",
        name=row["label"] or row["key"],
        aliases=tuple(alias for alias in row["aliases"] if alias != held),
        attributes={"description": text} if prose and text else {},
    )


def _edges(path: Path, keys: set[str]) -> Iterator[Edge]:
    told = (Provenance(kind="asserted", source="train"),)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            head, relation, tail = line.rstrip("\n").split("\t")
            if head in keys and tail in keys:
                name = re.sub(r"\W+", "_", relation).strip("_")[-100:]
                yield Edge(
                    head=EntityKey(head),
                    relation=f"r_{name}",
                    tail=EntityKey(tail),
                    provenance=told,
                )


def half_of(text: str, draw: random.Random) -> str:
    """Return half of the words of a text, drawn at random, in their order."""
    said = text.split()
    kept = sorted(draw.sample(range(len(said)), (len(said) + 1) // 2))
    return " ".join(said[position] for position in kept)


def flag_set(store: Store, descriptions: Path) -> QuerySet:
    """Return the descriptions of flags as queries for their countries."""
    with gzip.open(descriptions, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]

    def queries() -> Iterator[Asked]:
        for row in rows:
            found = store.entity(EntityKey(f"country:{row['entity_id']}"))
            if found is not None:
                first = re.split(r"[;.]", row["description"])[0]
                yield Asked(masked(first, (found.name, *found.aliases)), found.key)

    return QuerySet("picture", store, drawn(queries()), ("Country",), "countries")
