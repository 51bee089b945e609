"""The ranked lists that `bench.search` fuses: each field by words, all fields, meaning, neighbours.

Four sets of queries, each for another place where the answer stands:

- ``facts``: a description of FB15k-237 with the entity's names masked; searched are names and the
  names of neighbours in the training graph, the descriptions are not indexed.
- ``prose``: half of the words of such a description, drawn at random.
- ``names``: an alias of FB15k-237 that is not indexed. For both of these the other names, the
  descriptions and the names of neighbours are.
- ``picture``: the description of a flag, the country's names masked; searched are the names of the
  flag's parts (a working folder after ``umbra build`` and ``umbra scenes run``).

The SHA-256 of an entity's key puts it into valid or test.

Command: ``python -m bench.search_lists DATA/kgqa/fb15k-237 --demo FOLDER --descriptions
examples/countries/flag_descriptions.jsonl.gz --cache FOLDER --out lists.json.gz`` (an hour on one
core, most of it encoding once). The file holds the reader's copy of the descriptions: keep it out
of what is published.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from api.engine import Engine
from api.search.hybrid import DEPTH
from api.search.meaning import MeaningIndex
from api.search.neighbourhood import Neighbourhood
from api.search.routing import FIELD_LISTS
from bench.search_sets import QuerySet, fb15k_sets, flag_set
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
        folder = None if cache is None else cache / one.name
        if id(one.store) not in made:
            made[id(one.store)] = Indexes(one.store, encoder, folder)
        for split, queries in one.queries.items():
            for asked in queries:
                lists = made[id(one.store)].lists(asked.text, one.labels)
                yield {"set": one.name, "split": split, "text": asked.text, "gold": asked.gold,
                       "lists": lists}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the lists."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="entities.jsonl.gz and train.tsv.gz")
    parser.add_argument("--demo", type=Path, help="working folder with flags taken apart")
    parser.add_argument("--descriptions", type=Path, help="of the flags")
    parser.add_argument("--cache", type=Path, help="keeps vectors")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    sets = list(fb15k_sets(given.folder, given.seed))
    if given.demo is not None:
        sets.append(flag_set(Engine.open(given.demo).store, given.descriptions))
    encoder = packaged_text_encoder(given.cache, workers=1, remembers=False)
    with gzip.open(given.out, "wt", encoding="utf-8") as file:
        for row in lists_of(sets, encoder, given.cache):
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
