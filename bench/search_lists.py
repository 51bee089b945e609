"""The ranked lists that `bench.search` fuses: each field by words, all fields, meaning, neighbours.

Sets of queries over FB15k-237, each for another place where the answer stands
(`bench.search_sets`), and over other graphs (`bench.search_graphs`):

- ``facts``: a description with the entity's names masked; searched are names and the names of
  neighbours in the training graph, the descriptions are not indexed.
- ``prose``: half of the words of such a description, drawn at random.
- ``names``: an alias that is not indexed. For both of these the other names, the descriptions and
  the names of neighbours are.

The SHA-256 of an entity's key puts it into valid or test. Of the demo's graph only valid queries
are asked here: `bench.search_demo` asks the others.

Command: ``python -m bench.search_lists DATA --demo FOLDER --cache FOLDER --out lists.json.gz``
(five minutes of processor time); DATA holds ``kgqa``, ``linking``, ``scenes`` and ``countries``,
FOLDER is the working folder of ``umbra demo``. The file holds the reader's copy of the
descriptions: keep it out of what is published.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from api.search.blending import FIELD_LISTS
from api.search.hybrid import DEPTH
from api.search.meaning import MeaningIndex
from api.search.neighbourhood import Neighbourhood
from bench.search_demo_sets import DEMO_DATA, demo_valid, in_memory
from bench.search_graphs import emoji_sets, named_sets, vrd_set
from bench.search_sets import QuerySet, fb15k_sets
from encoders import packaged_text_encoder
from encoders.protocols import TextEncoder
from kg.full_text import FullTextIndex
from kg.store import Store

__all__ = ["Indexes", "lists_of", "main"]


class Indexes:
    """All that is searched of one store.

    Args:
        store: Which.
        encoder: Encodes texts.
        cache: Keeps vectors.
    """

    def __init__(self, store: Store, encoder: TextEncoder, cache: Path | None) -> None:
        self.words = FullTextIndex(store)
        self.meaning = MeaningIndex(store, encoder, cache)
        self.neighbours = Neighbourhood(store)

    def lists(self, text: str, labels: Sequence[str]) -> dict[str, list[tuple[str, float]]]:
        """Return every list of a query; ``words`` is BM25 over all fields at once."""
        found: dict[str, list[tuple[str, float]]] = {}
        for name, fields in [(one, {one: 1.0}) for one in FIELD_LISTS] + [("words", None)]:
            chosen = {} if fields is None else {"fields": fields}
            hits = self.words.search(text, k=DEPTH, labels=labels, **chosen)
            found[name] = [(hit.key, hit.score) for hit in hits]
        found["meaning"] = [*self.meaning.search(text, k=DEPTH, labels=labels)]
        found["neighbours"] = [*self.neighbours.search(text, k=DEPTH, labels=labels)]
        return found


def lists_of(
    sets: Sequence[QuerySet], encoder: TextEncoder, cache: Path | None
) -> Iterator[dict[str, Any]]:
    """Yield the queries of all sets with their lists; sets over one store share its indexes."""
    made: dict[int, Indexes] = {}
    for one in sets:
        folder = None if cache is None else cache / f"{one.graph}-{one.name}"
        if id(one.store) not in made:
            made[id(one.store)] = Indexes(one.store, encoder, folder)
        for split, queries in one.queries.items():
            for asked in queries:
                lists = made[id(one.store)].lists(asked.text, one.labels)
                yield {"graph": one.graph, "set": one.name, "split": split, "text": asked.text,
                       "gold": asked.gold, "lists": lists}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the lists."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="kgqa, linking, scenes and countries")
    parser.add_argument("--demo", type=Path, required=True, help="working folder of umbra demo")
    parser.add_argument("--examples", type=Path, default=DEMO_DATA, help="what the demo reads")
    parser.add_argument("--cache", type=Path, help="keeps vectors")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    data, seed = given.data, given.seed
    store = in_memory(given.demo)
    sets = [
        *fb15k_sets(data / "kgqa" / "fb15k-237", seed),
        *named_sets(data / "kgqa" / "db15k", seed),
        *emoji_sets(data / "linking", seed),
        vrd_set(data / "scenes" / "vrd", seed),
        *demo_valid(store, given.examples, data / "countries" / "factbook.jsonl.gz", seed),
    ]
    encoder = packaged_text_encoder(given.cache, workers=1, remembers=False)
    with gzip.open(given.out, "wt", encoding="utf-8") as file:
        for row in lists_of(sets, encoder, given.cache):
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
