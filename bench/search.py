"""Does search by words and meaning together beat either alone?

Question: over queries whose answer is known, nDCG@10 and MRR of BM25 alone, vectors alone, and both
fused by reciprocal ranks. Four sets, each for another place where the answer stands:

- ``facts``: a description of FB15k-237 with the entity's names masked; searched are names and the
  names of neighbours in the training graph, the descriptions are not indexed.
- ``prose``: half of the words of such a description, drawn at random.
- ``names``: an alias of FB15k-237 that is not indexed. For both of these the other names, the
  descriptions and the names of neighbours are.
- ``picture``: the description of a flag, the country's names masked; searched are the names of the
  flag's parts (a working folder after ``umbra build`` and ``umbra scenes run``).

The SHA-256 of an entity's key puts it into valid or test. Weights are chosen on valid by mean
nDCG@10 over the sets, test is looked at once. Entities that tie in BM25 stand in the order of their
keys, which says nothing about relevance.

Command: ``python -m bench.search DATA/kgqa/fb15k-237 --demo FOLDER --descriptions
examples/countries/flag_descriptions.jsonl.gz --cache FOLDER --out docs/benchmarks`` (an hour on one
core, most of it encoding once). Writes ``search.json`` and ``search.md``.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from api.engine import Engine
from api.search.hybrid import DEPTH, fused
from api.search.meaning import MeaningIndex
from bench.search_page import page
from encoders import packaged_text_encoder
from encoders.protocols import TextEncoder
from evaluation import current_commit, paired_bootstrap, standard_error, this_machine
from kg.backends.memory import MemoryStore
from kg.files import atomic_write, write_json
from kg.full_text import FIELDS, FullTextIndex
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.store import Store
from kg.words import words

__all__ = ["Asked", "QuerySet", "fb15k_sets", "flag_set", "gains", "main", "measured"]

FACTS = (0.0, 0.3, 1.0)
NAMES = (1.0, 3.0)
MEANING = (0.5, 1.0, 2.0)
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


def gains(ranked: Sequence[EntityKey], gold: EntityKey) -> tuple[float, float]:
    """Return nDCG@10 and the reciprocal rank of the one relevant entity; 0 where it is not found.

    Example:
        >>> gains(["b", "a"], "a")
        (0.6309297535714575, 0.5)
    """
    if gold not in ranked:
        return 0.0, 0.0
    rank = ranked.index(gold) + 1
    return (float(1 / np.log2(rank + 1)) if rank <= 10 else 0.0), 1 / rank


def masked(text: str, names: Sequence[str]) -> str:
    """Return a text without the words of some names."""
    gone = {word.text for name in names for word in words(name) if len(word.text) > 2}
    return " ".join(text[w.start : w.end] for w in words(text) if w.text not in gone)


def _drawn(queries: Iterator[Asked]) -> dict[str, list[Asked]]:
    """Sort queries that hold words into the splits."""
    found: dict[str, list[Asked]] = {"valid": [], "test": []}
    for asked in queries:
        if any(True for _ in words(asked.text)) and len(found[asked.split]) < MOST:
            found[asked.split].append(asked)
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
    yield QuerySet("facts", store(prose=False, held={}), _drawn(told))
    held = {r["key"]: draw.choice(r["aliases"]) for r in rows if r["aliases"]}
    whole = store(prose=True, held=held)
    half = (Asked(_half(r["description"], draw), EntityKey(r["key"])) for r in described)
    yield QuerySet("prose", whole, _drawn(half))
    aliases = (Asked(alias, EntityKey(key)) for key, alias in held.items())
    yield QuerySet("names", whole, _drawn(aliases))


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


def _half(text: str, draw: random.Random) -> str:
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

    return QuerySet("picture", store, _drawn(queries()), labels=("Country",))


Lists = dict[str, list[list[EntityKey]]]


def _word_lists(
    asked: QuerySet, index: FullTextIndex, split: str, fields: Mapping[str, float]
) -> Any:
    return [
        [hit.key for hit in index.search(q.text, k=DEPTH, labels=asked.labels, fields=fields)]
        for q in asked.queries[split]
    ]


def _meaning_lists(asked: QuerySet, index: MeaningIndex, split: str) -> Any:
    return [
        [key for key, _ in index.search(q.text, k=DEPTH, labels=asked.labels)]
        for q in asked.queries[split]
    ]


def _scored(asked: QuerySet, split: str, ranked: Sequence[Sequence[EntityKey]]) -> np.ndarray:
    pairs = zip(ranked, asked.queries[split], strict=True)
    return np.array([gains(keys, q.gold) for keys, q in pairs]).reshape(-1, 2)


def _both(word: Any, near: Any, meaning: float) -> list[list[EntityKey]]:
    weights = {"words": 1.0, "meaning": meaning}
    return [
        [key for key, _ in fused({"words": w, "meaning": n}, weights)]  # type: ignore[arg-type]
        for w, n in zip(word, near, strict=True)
    ]


def measured(sets: Sequence[QuerySet], encoder: TextEncoder, cache: Path | None) -> dict[str, Any]:
    """Choose weights on valid, then measure on test once."""
    texts = {one.name: FullTextIndex(one.store) for one in sets}
    meanings = {
        one.name: MeaningIndex(one.store, encoder, None if cache is None else cache / one.name)
        for one in sets
    }
    near = {one.name: _meaning_lists(one, meanings[one.name], "valid") for one in sets}
    table = []
    for facts, names in product(FACTS, NAMES):
        fields = dict.fromkeys(FIELDS, 1.0) | {"facts": facts, "names": names}
        word = {one.name: _word_lists(one, texts[one.name], "valid", fields) for one in sets}
        for meaning in (0.0, *MEANING):
            fits = {}
            for one in sets:
                ranked = _both(word[one.name], near[one.name], meaning)
                fits[one.name] = float(_scored(one, "valid", ranked)[:, 0].mean())
            mean = float(np.mean([*fits.values()]))
            table.append({"facts": facts, "names": names, "meaning": meaning, **fits, "mean": mean})
            print(table[-1], flush=True)
    best = max((row for row in table if row["meaning"]), key=lambda row: row["mean"])
    alone = max((row for row in table if not row["meaning"]), key=lambda row: row["mean"])
    return {"valid": table, "chosen": best, "words_alone": alone} | {
        "test": {one.name: _on_test(one, texts, meanings, best, alone) for one in sets}
    }


def _on_test(
    one: QuerySet, texts: Mapping[str, Any], meanings: Mapping[str, Any], best: Any, alone: Any
) -> dict[str, Any]:
    def word(row: Mapping[str, float]) -> Any:
        fields = dict.fromkeys(FIELDS, 1.0) | {"facts": row["facts"], "names": row["names"]}
        return _word_lists(one, texts[one.name], "test", fields)

    near = _meaning_lists(one, meanings[one.name], "test")
    scores = {
        "words": _scored(one, "test", word(alone)),
        "meaning": _scored(one, "test", near),
        "both": _scored(one, "test", _both(word(best), near, best["meaning"])),
    }
    found: dict[str, Any] = {"n": len(one.queries["test"])}
    for name, values in scores.items():
        found[name] = {
            "ndcg_at_10": float(values[:, 0].mean()),
            "se": standard_error(values[:, 0]),
            "mrr": float(values[:, 1].mean()),
        }
    for rival in ("words", "meaning"):
        gap = paired_bootstrap(scores["both"][:, 0], scores[rival][:, 0])
        found[f"over_{rival}"] = [gap.low, gap.mean, gap.high]
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the page."""
    from datetime import UTC, datetime

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="entities.jsonl.gz and train.tsv.gz")
    parser.add_argument("--demo", type=Path, help="working folder with flags taken apart")
    parser.add_argument("--descriptions", type=Path, help="of the flags")
    parser.add_argument("--cache", type=Path, help="keeps vectors")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    sets = list(fb15k_sets(given.folder, given.seed))
    if given.demo is not None:
        engine = Engine.open(given.demo)
        sets.append(flag_set(engine.store, given.descriptions))
    encoder = packaged_text_encoder(given.cache, workers=1, remembers=False)
    result = {
        "bench": "search",
        "commit": current_commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": asdict(this_machine()),
        "seed": given.seed,
        "most": MOST,
        **measured(sets, encoder, given.cache),
    }
    write_json(given.out / "search.json", result)
    with atomic_write(given.out / "search.md") as file:
        file.write(page(result).encode())


if __name__ == "__main__":
    main()
