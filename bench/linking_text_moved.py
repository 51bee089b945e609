"""Names pushed away from mentions that mean others, under the trees of the linker of texts."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.steps.encoders import text_encoder_named
from bench.linking_text_withheld import parted
from evaluation import paired_bootstrap
from linkers.boosted import EntityTable, PooledTexts, Ranked, RankerConfig, TreeConfig, gather
from linkers.boosted.figures import link_ranks
from linkers.boosted.name_index import NameIndex
from linkers.boosted.nearest import NearestVectors
from linkers.boosted.ranker import fit_ranker
from linkers.inverse_convolution import References, inverse_convolution
from linkers.mention_sets import MentionSet, read_entity_table, read_mention_set

__all__ = ["KINDS", "of_moved"]

KINDS = ("names as encoded", "LocalAdj, 1 %, r = 0.5")
_RATE, _SHARE = 0.5, 0.01
_BANK = 2_000  # mentions at most

Floats = NDArray[np.float64]


def of_moved(given: argparse.Namespace, name: str) -> dict[str, dict[str, Any]]:
    """Judge the linker's trees on a set's valid mentions, on either index."""
    table = read_entity_table(given.data / "entities.jsonl.gz")
    parts = parted(read_mention_set(given.data / f"{name}.jsonl.gz"), None)
    texts = PooledTexts(text_encoder_named(given.encoder, None), given.pooled)
    found = {}
    for kind in KINDS:
        index = NameIndex(table, texts)
        if kind != KINDS[0]:
            index.vectors = NearestVectors(_pushed(index, texts, table, parts["held"]))
        found[kind] = _judged(given, table, texts, index, parts)
        sys.stderr.write(f"{name}, {kind}: {[float((p <= 1).mean()) for p in found[kind][0]]}\n")
    plain = _hits(found[KINDS[0]][0])
    return {kind: _figures(*places, plain) for kind, places in found.items()}


def _pushed(
    index: NameIndex, texts: PooledTexts, table: EntityTable, bank: MentionSet
) -> NDArray[np.float32]:
    """Return the names' vectors, pushed by mentions that no ranker learns from."""
    rows = np.random.default_rng(0).permutation(len(bank))[:_BANK].tolist()
    owners = np.array([table.ids[str(bank.gold[row])] for row in rows], dtype=np.int64)
    vectors = texts.matrix([bank.mentions[row].surface for row in rows])
    pushing = References(vectors=vectors, owners=owners, rate=_RATE)
    return inverse_convolution(index.vectors.vectors, [pushing], share=_SHARE)


def _judged(
    given: argparse.Namespace,
    table: EntityTable,
    texts: PooledTexts,
    index: NameIndex,
    parts: dict[str, MentionSet],
) -> tuple[list[Floats], float]:
    """Return ``(n,)`` ranks by a ranker of each seed, and the share found among candidates."""
    learn, asked = ((parts[part].mentions, parts[part].gold) for part in ("learn", "asked"))
    material = gather(table, texts, learn, asked, index=index)
    config = RankerConfig(trees=TreeConfig(trees=given.trees))
    if material.train is None or material.valid is None:
        raise RuntimeError("a part of the set is empty")
    places, gold = [], material.valid_gold
    for seed in given.seeds:
        ranker = fit_ranker(material.train, material.train_gold, config=config, seed=seed)
        scores = ranker.scores(material.valid)
        ranked = Ranked(described=material.valid, scores=scores, first=None, nil=None)
        places.append(link_ranks(ranked, gold, len(table)))
    return places, float((material.valid.places(gold.tolist()) >= 0).mean())


def _hits(runs: list[Floats]) -> Floats:
    found: Floats = np.mean([100.0 * (places <= 1) for places in runs], axis=0)
    return found


def _figures(runs: list[Floats], recall: float, plain: Floats) -> dict[str, Any]:
    hits = _hits(runs)
    gain = paired_bootstrap(hits, plain)
    return {
        "mentions": len(hits),
        "hits_at_1": float(hits.mean()),
        "mrr": float(np.mean([100 / places for places in runs])),
        "recall": 100 * recall,
        "gain": [gain.mean, gain.low, gain.high],
    }
