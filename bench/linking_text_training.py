"""TCL's terms and FILIP's units in the training of the matching network, on mentions in texts."""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from api.steps.encoders import text_encoder_named
from bench.linking_m3el import TextSet, network_ranks
from evaluation import paired_bootstrap
from kg.files import atomic_write
from linkers.config import LinkerConfig
from linkers.evidence import window
from linkers.items import Items
from linkers.matching import MatchingNetwork
from linkers.mention_sets import read_mention_set
from linkers.training import Pairs, fit_matching
from linkers.vectors import Encoders
from linkers.views import Record, views_of

__all__ = ["VARIANTS", "of_training", "text_network"]

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "as the linker has it": {},
    "with local terms": {"local": 0.2},
    "global and late": {"parts": "global and late"},
    "with views": {"view": 0.2},
    "with views and local terms": {"view": 0.2, "local": 0.2},
    "global and global to local": {"parts": "both"},
    "late alone": {"parts": "late"},
}
_PLAIN = "as the linker has it"

Floats = NDArray[np.float64]
Views = list[tuple[Items, Items]]


def text_network(
    data: TextSet, pairs: Pairs, *, seed: int, setting: Mapping[str, Any]
) -> MatchingNetwork:
    """Return a network trained as the linker trains its own, but for some settings.

    Args:
        data: The set.
        pairs: Mentions to learn from.
        seed: Of the training.
        setting: What differs from the linker's.
    """
    own = LinkerConfig().network(text_dimension=data.entities.text.shape[1], image_dimension=1)
    nothing = Pairs(mentions=pairs.mentions.take(torch.arange(0)), gold=pairs.gold[:0])
    config = replace(own, **setting)
    return fit_matching(data.entities, pairs, nothing, config=config, seed=seed)


def of_training(given: argparse.Namespace, name: str) -> dict[str, dict[str, Any]]:
    """Judge every variant on a set's valid mentions; ranks that are kept in WORK count."""
    data = cache(lambda: TextSet(given, name))
    views = cache(lambda: _views(given, name, data()))
    found: dict[str, list[tuple[Floats, float]]] = {}
    # a seed of every variant before the next seed: a bench that is stopped has most to say
    variants = [variant for variant in VARIANTS if variant in (_PLAIN, *given.variants)]
    for seed, variant in ((seed, variant) for seed in given.seeds for variant in variants):
        kept = _file(given, name, variant, seed)
        if not kept.exists():
            setting = {**VARIANTS[variant], "epochs": given.epochs}
            _keep(kept, *_judged(data(), views, setting, seed))
        with np.load(kept) as arrays:
            found.setdefault(variant, []).append((arrays["ranks"], float(arrays["cost"])))
        hits = float((found[variant][-1][0] <= 1).mean())
        sys.stderr.write(f"{name}, {variant}, seed {seed}: {hits:.4f}\n")
    plain = _hits(found[_PLAIN])
    return {variant: _figures(runs, plain) for variant, runs in found.items()}


def _judged(
    data: TextSet, views: Callable[[], Views], setting: Mapping[str, Any], seed: int
) -> tuple[Floats, float]:
    """Return ``(n,)`` ranks of valid mentions, and processor milliseconds that one takes."""
    pairs = data.pairs["train"]
    if setting.get("view"):
        pairs = replace(pairs, views=views())
    network = text_network(data, pairs, seed=seed, setting=setting)
    started = time.process_time()
    places = network_ranks(network, data.entities, data.pairs["valid"])
    return places, 1e3 * (time.process_time() - started) / len(places)


def _views(given: argparse.Namespace, name: str, data: TextSet) -> Views:
    """Return other views of the training mentions and of their entities, without tokens."""
    train = read_mention_set(given.data / f"{name}.jsonl.gz").part("train")
    encoders = Encoders(text=text_encoder_named(given.encoder, given.work / "vectors"))
    mentions = [Record(name=m.surface, text=window(m), picture=None) for m in train.mentions]
    rows, places = np.unique(data.pairs["train"].gold, return_inverse=True)
    entities = [Record(name=data.table.names[row][0], text="", picture=None) for row in rows]
    mine = [_tokenless(items) for items in views_of(mentions, encoders)]
    theirs = [_tokenless(items) for items in views_of(entities, encoders)]
    owners = torch.from_numpy(places)
    return [(own, other.take(owners)) for own, other in zip(mine, theirs, strict=True)]


def _tokenless(items: Items) -> Items:
    return replace(
        items,
        text_tokens=items.text_tokens[:, :0].clone(),
        text_mask=items.text_mask.any(dim=1, keepdim=True),
    )


def _file(given: argparse.Namespace, name: str, variant: str, seed: int) -> Path:
    mark = f"{name} {LinkerConfig().matching} {VARIANTS[variant]} {given.epochs} {seed}"
    folder: Path = given.work / "text-training"
    return folder / f"{hashlib.sha256(mark.encode()).hexdigest()[:12]}.npz"


def _keep(path: Path, places: Floats, cost: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as file:
        np.savez(file, ranks=places, cost=np.array(cost))


def _hits(runs: list[tuple[Floats, float]]) -> Floats:
    found: Floats = np.mean([100.0 * (places <= 1) for places, _ in runs], axis=0)
    return found


def _figures(runs: list[tuple[Floats, float]], plain: Floats) -> dict[str, Any]:
    hits = _hits(runs)
    gain = paired_bootstrap(hits, plain)
    return {
        "mentions": len(hits),
        "seeds": len(runs),
        "hits_at_1": [float(100 * (places <= 1).mean()) for places, _ in runs],
        "mrr": float(np.mean([100 / places for places, _ in runs])),
        "milliseconds": float(np.mean([cost for _, cost in runs])),
        "gain": [gain.mean, gain.low, gain.high],
    }
