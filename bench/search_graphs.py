"""Queries over other graphs than FB15k-237, for fitting a search that does not depend on one.

- ``DB15K``: names with one letter wrong, and facts that hold for one entity alone. No prose.
- ``emoji``: a concept's name in one of six other languages, or what people type for it; searched
  are the English names, with the tags as prose.
- ``VRD``: what stands on a picture (triplets of its objects), searched among the names of its
  parts.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import string
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from bench.search_sets import Asked, QuerySet, drawn
from kg.backends.memory import MemoryStore
from kg.model import Edge, Entity, EntityKey, ImagePart
from kg.provenance import Provenance

__all__ = ["emoji_sets", "fact_queries", "lines_of", "named_sets", "vrd_set"]

LANGUAGES = ("es", "de", "fi", "ru", "ja", "fr")
PICTURES = 1_500
FACTS_TRIED = 8
"""Facts of an entity of a large graph that are tried."""
_TOLD = (Provenance(kind="asserted", source="the set's file"),)


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """Iterate the rows of a gzipped file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def fact_queries(
    edges: Iterable[Edge],
    names: Mapping[EntityKey, str],
    said: Mapping[str, str],
    seed: int,
    *,
    heads: str = "",
    most: int | None = None,
) -> Iterator[Asked]:
    """Yield two or three facts that hold for one entity alone, for each that has such.

    Args:
        edges: Of the relations in `said`.
        names: Of entities.
        said: Relations as a query says them, with a place for the neighbour's name.
        seed: Of the draws.
        heads: How the key begins of entities that are asked for.
        most: Facts of an entity that are tried, drawn at random; all if not given. Then entities
            come in a random order, too.
    """
    holders: dict[tuple[str, str], set[str]] = defaultdict(set)
    for edge in edges:
        if edge.head.startswith(heads):
            holders[edge.relation, edge.tail].add(edge.head)
    facts: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for fact, having in sorted(holders.items()):
        for head in having:
            facts[head].append(fact)
    order = sorted(facts)
    if most is not None:
        random.Random(seed).shuffle(order)
    for head in order:
        draw = random.Random(f"{seed} {head}")  # of the entity alone: others change nothing
        own = facts[head]
        if most is not None and len(own) > most:
            own = draw.sample(own, most)
        sets = [some for size in (2, 3) for some in combinations(own, size)]
        draw.shuffle(sets)
        for some in sets:
            if set.intersection(*(holders[fact] for fact in some)) == {head}:
                text = ", ".join(said[name].format(names[EntityKey(tail)]) for name, tail in some)
                yield Asked(text, EntityKey(head))
                break


def named_sets(folder: Path, seed: int) -> Iterator[QuerySet]:
    """Yield the sets of names and facts of a graph whose keys are its names."""
    with gzip.open(folder / "train.tsv.gz", "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    keys = sorted({key for head, _, tail in rows for key in (head, tail)})
    names = {EntityKey(key): key.partition(":")[2].replace("_", " ") for key in keys}
    store = MemoryStore()
    store.upsert_entities(
        Entity(key=key, label="Entity", name=name or key) for key, name in names.items()
    )
    edges = [
        Edge(
            head=EntityKey(head),
            relation=re.sub(r"\W+", "_", relation),
            tail=EntityKey(tail),
            provenance=_TOLD,
        )
        for head, relation, tail in rows
    ]
    store.upsert_edges(edges)
    draw = random.Random(seed)
    shuffled = draw.sample(keys, len(keys))
    wrong = (
        Asked(_misspelt(names[EntityKey(key)], draw), EntityKey(key))
        for key in shuffled
        if len(names[EntityKey(key)]) > 5
    )
    yield QuerySet("names", store, drawn(wrong), graph="DB15K")
    said = {edge.relation: f"{_words_of(edge.relation)} {{}}" for edge in edges}
    facts = fact_queries(edges, names, said, seed, most=FACTS_TRIED)
    yield QuerySet("facts", store, drawn(facts), graph="DB15K")


def _words_of(relation: str) -> str:
    """Return the words of a relation, as ``birth place`` of ``dbo_birthPlace``."""
    last = relation.rpartition("_")[2]
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", last).lower()


def _misspelt(name: str, draw: random.Random) -> str:
    """Return a name with one letter wrong, left out or twice."""
    spots = [n for n, letter in enumerate(name) if letter.isalpha() and n > 0] or [0]
    spot = draw.choice(spots)
    letter = draw.choice([draw.choice(string.ascii_lowercase), "", name[spot] * 2])
    return name[:spot] + letter + name[spot + 1 :]


def emoji_sets(folder: Path, seed: int) -> Iterator[QuerySet]:
    """Yield the sets of the emoji: their names in other languages, and what people type."""
    rows = list(lines_of(folder / "emoji.jsonl.gz"))
    labels = {row["entity_id"]: row["labels"]
              for row in lines_of(folder / "emoji_multilingual.jsonl.gz")}  # fmt: skip
    store = MemoryStore()
    store.upsert_entities(
        Entity(
            key=EntityKey(row["entity_id"]),
            label="Emoji",
            name=row["name"],
            aliases=tuple({row["annotation"]} - {row["name"]}),
            attributes={"tags": ", ".join(row["tags"])} if row["tags"] else {},
        )
        for row in rows
    )
    groups = sorted({row["subcategory"] for row in rows})
    store.upsert_entities(
        Entity(key=EntityKey(f"group:{one}"), label="Group", name=one.replace("-", " "))
        for one in groups
    )
    store.upsert_edges(
        Edge(
            head=EntityKey(row["entity_id"]),
            relation="in_group",
            tail=EntityKey(f"group:{row['subcategory']}"),
            provenance=_TOLD,
        )
        for row in rows
    )
    draw = random.Random(seed)
    shuffled = draw.sample(rows, len(rows))
    spoken = (
        Asked(of[language], EntityKey(row["entity_id"]))
        for row in shuffled
        for of in [labels[row["entity_id"]]]
        for language in [draw.choice(LANGUAGES)]
        if language in of
    )
    yield QuerySet("names", store, drawn(spoken), ("Emoji",), "emoji")
    typed = (
        Asked(" ".join(row["keywords"][:6]), EntityKey(row["entity_id"]))
        for row in shuffled
        if len(row["keywords"]) > 1
    )
    yield QuerySet("prose", store, drawn(typed), ("Emoji",), "emoji")


def vrd_set(folder: Path, seed: int) -> QuerySet:
    """Return what stands on pictures as queries for them."""
    vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    objects, predicates = vocabulary["objects"], vocabulary["predicates"]
    draw = random.Random(seed)
    rows = [row for row in lines_of(folder / "train.jsonl.gz") if len(row["triplets"]) > 2]
    rows = draw.sample(rows, PICTURES)
    store = MemoryStore()
    store.upsert_entities(
        one for number, row in enumerate(rows) for one in _picture(number, row, objects)
    )

    def asked() -> Iterator[Asked]:
        for number, row in enumerate(rows):
            some = draw.sample(row["triplets"], 3)
            told = (
                f"{objects[row['labels'][head]]} {predicates[predicate]}"
                f" {objects[row['labels'][tail]]}"
                for head, predicate, tail in some
            )
            yield Asked(", ".join(told), EntityKey(f"picture:{number}"))

    return QuerySet("picture", store, drawn(asked()), ("Picture",), "VRD")


def _picture(number: int, row: Mapping[str, Any], objects: Sequence[str]) -> Iterator[Entity]:
    key = EntityKey(f"picture:{number}")
    yield Entity(key=key, label="Picture", name=f"picture {number}")
    for at, (label, box) in enumerate(zip(row["labels"], row["boxes_xyxy"], strict=True)):
        left, top, right, bottom = box
        yield Entity(
            key=EntityKey(f"{key}/{at}"),
            label="Part",
            name=objects[label],
            part=ImagePart(
                parent=key,
                image=f"{number:064x}",
                box_xyxy=(left, top, max(right, left + 1), max(bottom, top + 1)),
            ),
        )
