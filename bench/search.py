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
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from api.engine import Engine
from api.search.hybrid import DEPTH, fused
from api.search.meaning import MeaningIndex
from bench.search_page import page
from bench.search_sets import MOST, QuerySet, fb15k_sets, flag_set
from encoders import packaged_text_encoder
from encoders.protocols import TextEncoder
from evaluation import current_commit, paired_bootstrap, standard_error, this_machine
from kg.files import atomic_write, write_json
from kg.full_text import FIELDS, FullTextIndex
from kg.model import EntityKey

__all__ = ["gains", "main", "measured"]

FACTS = (0.0, 0.3, 1.0)
NAMES = (1.0, 3.0)
MEANING = (0.5, 1.0, 2.0)


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


def _indexes(
    sets: Sequence[QuerySet], encoder: TextEncoder, cache: Path | None
) -> tuple[dict[str, FullTextIndex], dict[str, MeaningIndex]]:
    """Return the indexes of each set; sets over one store share theirs."""
    texts: dict[str, FullTextIndex] = {}
    meanings: dict[str, MeaningIndex] = {}
    for one in sets:
        first = next(other.name for other in sets if other.store is one.store)
        folder = None if cache is None else cache / first
        texts[one.name] = texts.get(first) or FullTextIndex(one.store)
        meanings[one.name] = meanings.get(first) or MeaningIndex(one.store, encoder, folder)
    return texts, meanings


def measured(sets: Sequence[QuerySet], encoder: TextEncoder, cache: Path | None) -> dict[str, Any]:
    """Choose weights on valid, then measure on test once."""
    texts, meanings = _indexes(sets, encoder, cache)
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
            weights = {"facts": facts, "names": names, "meaning": meaning}
            table.append({**weights, "valid": fits, "mean": float(np.mean([*fits.values()]))})
            print(table[-1], flush=True)
    best = max((row for row in table if row["meaning"]), key=lambda row: row["mean"])
    alone = max((row for row in table if not row["meaning"]), key=lambda row: row["mean"])
    return {
        "grid": table,
        "chosen": best,
        "words_alone": alone,
        "test": {one.name: _on_test(one, texts, meanings, best, alone) for one in sets},
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
