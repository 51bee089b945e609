"""M3EL's text unit, trained, against the cosine of the same encoder; and what its parts are worth.

Question: does the trained network link better than the encoder that it stands on, on the whole base
of 40,248 names? Rivals: cosines of the packaged MiniLM's vectors, of the surface alone and of
surface and text together. Command: ``python -m bench.linking_m3el --data FOLDER --work WORK --out
docs/benchmarks`` (an hour on two free cores, most of it encoding and training). Variants are judged
on valid, which decides; test is read for the cosine, the whole network, and the variant
chosen. Ranks in two stages: all entities by the global vectors, the best 512 by the whole network;
entities behind these share the last places. Writes ``linking-m3el.json`` and ``linking-m3el.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from api.steps.encoders import text_encoder_named
from bench.linking_m3el_page import page
from evaluation import current_commit, ranks, this_machine
from kg.files import atomic_write, write_json
from kg.progress import Progress
from linkers.evidence import window
from linkers.items import Items
from linkers.losses import fused
from linkers.matching import MatchingConfig, MatchingNetwork
from linkers.mention_sets import MentionSet, read_entity_table, read_mention_set
from linkers.training import Pairs, fit_matching
from linkers.vectors import Encoders, ItemVectors, VectorTable, items_of

__all__ = ["SETS", "TESTED", "VARIANTS", "main"]

SETS = ("wikidiverse", "wikidata-mel")
VARIANTS: dict[str, dict[str, object]] = {
    "M3EL, text unit": {},
    "text unit, chosen on valid": {"parts": "global", "contrastive": 0.0, "learning_rate": 2e-4},
    "without ICL": {"contrastive": 0.0},
    "global to global only": {"parts": "global"},
    "global to local only": {"parts": "local"},
    "paper's formulas": {"formulas": "paper"},
    "SDM for cross-entropy": {"objective": "sdm"},
}
TESTED = ("M3EL, text unit", "text unit, chosen on valid")
_FIRST = 512  # entities of the first stage that the network looks at
_BLOCK = 64

Hits = NDArray[np.float64]


class TextSet:
    """A set with the encoder's vectors of all that it needs.

    Args:
        given: The command line.
        name: Of the set.
    """

    def __init__(self, given: argparse.Namespace, name: str) -> None:
        self.table = read_entity_table(given.data / "entities.jsonl.gz")
        whole = read_mention_set(given.data / f"{name}.jsonl.gz")
        encoders = Encoders(text=text_encoder_named(given.encoder, given.work / "vectors"))
        vectors = VectorTable(encoders)
        parts = {split: whole.part(split) for split in ("train", "valid", "test")}
        vectors.add_texts([names[0] for names in self.table.names], progress=_told(name))
        for part in parts.values():
            vectors.add_texts([t for m in part.mentions for t in (m.surface, window(m))])
        rows = [
            ItemVectors(name=vectors.text(n[0]), text=None, image=None) for n in self.table.names
        ]
        self.entities = items_of(rows, encoders)
        self.pairs = {split: self._pairs(part, vectors, encoders) for split, part in parts.items()}
        self.surfaces = {
            split: np.stack([_row(vectors, m.surface, encoders) for m in part.mentions])
            for split, part in parts.items()
            if split != "train"
        }

    def _pairs(self, part: MentionSet, vectors: VectorTable, encoders: Encoders) -> Pairs:
        rows = [
            ItemVectors(name=vectors.text(m.surface), text=vectors.text(window(m)), image=None)
            for m in part.mentions
        ]
        gold = np.array([self.table.ids[str(key)] for key in part.gold], dtype=np.int64)
        return Pairs(mentions=items_of(rows, encoders), gold=gold)


def _machine() -> dict[str, object]:
    where = this_machine()
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "command": "python -m bench.linking_m3el",
        "commit": current_commit(),
        "date": date,
        "cores": where.cores,
        "gpu": where.gpu,
    }


def _row(vectors: VectorTable, text: str, encoders: Encoders) -> NDArray[np.float32]:
    found = vectors.text(text)
    return np.zeros(encoders.text.dimension, np.float32) if found is None else found[0]


def _told(name: str) -> Progress:
    def show(done: int, total: int) -> None:
        if done % 4096 == 0:
            sys.stderr.write(f"{name}: {done} of {total} names\n")

    return show


def cosine_ranks(mentions: NDArray[np.float32], data: TextSet, gold: NDArray[np.int64]) -> Hits:
    """Return ``(n,)`` realistic ranks by cosine with the names' vectors."""
    names = functional.normalize(data.entities.text, dim=-1).numpy()
    found = [
        ranks(mentions[start : start + _BLOCK] @ names.T, gold[start : start + _BLOCK]).realistic
        for start in range(0, len(gold), _BLOCK)
    ]
    return np.concatenate(found)


def network_ranks(network: MatchingNetwork, entities: Items, pairs: Pairs) -> Hits:
    """Return ``(n,)`` realistic ranks of the network, in two stages."""
    size, found = len(entities.text), []
    with torch.inference_mode():
        whole = network.encode(entities, "entity")
        unit = functional.normalize(whole.globals_[0], dim=-1)
        for start in range(0, len(pairs.gold), _BLOCK):
            rows = torch.arange(start, min(start + _BLOCK, len(pairs.gold)))
            block = network.encode(pairs.mentions.take(rows), "mention")
            near = functional.normalize(block.globals_[0], dim=-1) @ unit.T
            best = torch.topk(near, min(_FIRST, size), dim=1).indices
            dense = np.empty((len(rows), size))
            for row, ids in enumerate(best):
                scores = fused(*network(block.take(torch.tensor([row])), whole.take(ids)))[0]
                dense[row] = float(scores.min()) - 1.0
                dense[row, ids.numpy()] = scores.double().numpy()
            found.append(ranks(dense, pairs.gold[rows.numpy()]).realistic)
    return np.concatenate(found)


def run_set(given: argparse.Namespace, name: str) -> None:
    """Judge the cosines and every variant on one set; what is there already is kept."""
    # what is tested first, then one seed of every variant: a bench that is stopped has most to say
    wanted = [
        (variant, seed)
        for variant, seed in sorted(
            ((variant, seed) for variant in VARIANTS for seed in given.seeds),
            key=lambda one: (one[0] not in TESTED, one[1]),
        )
        if not _file(given, name, variant, seed).exists()
    ]
    if not wanted:
        return
    write_json(given.work / f"{name}.json", _machine())
    data = TextSet(given, name)
    for variant, split in ((v, s) for v in _COSINES for s in ("valid", "test")):
        mentions = data.surfaces[split]
        if variant != _COSINES[0]:
            mentions = functional.normalize(data.pairs[split].mentions.text, dim=-1).numpy()
        found = cosine_ranks(mentions, data, data.pairs[split].gold)
        _keep(given, name, variant, 0, {split: found})
    dimension = data.entities.text.shape[1]
    base = MatchingConfig(
        text_dimension=dimension, image_dimension=1, batch=given.batch, epochs=given.epochs
    )
    nothing = Pairs(
        mentions=data.pairs["train"].mentions.take(torch.arange(0)), gold=np.zeros(0, np.int64)
    )
    for variant, seed in wanted:
        started = time.monotonic()
        config = replace(base, **VARIANTS[variant])  # type: ignore[arg-type]
        network = fit_matching(
            data.entities, data.pairs["train"], nothing, config=config, seed=seed
        )
        splits = ("valid", "test") if variant in TESTED else ("valid",)
        found = {s: network_ranks(network, data.entities, data.pairs[s]) for s in splits}
        _keep(given, name, variant, seed, found)
        hits = float((found["valid"] <= 1).mean())
        seconds = time.monotonic() - started
        sys.stderr.write(f"{name} {variant} seed {seed}: valid {hits:.4f}, {seconds:.0f} s\n")


_COSINES = ("cosine, surface", "cosine, surface and text")


def _file(given: argparse.Namespace, name: str, variant: str, seed: int) -> Path:
    plain = "".join(letter if letter.isalnum() else "-" for letter in variant.lower())
    folder: Path = given.work / "ranks"
    return folder / f"{name}-{plain}-{given.epochs}-{given.batch}-seed{seed}.npz"


def _keep(
    given: argparse.Namespace, name: str, variant: str, seed: int, found: dict[str, Hits]
) -> None:
    path = _file(given, name, variant, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        with np.load(path) as before:
            found = {**{key: before[key] for key in before.files}, **found}
    with atomic_write(path) as file:
        np.savez(file, **found)  # type: ignore[arg-type]


def _kept(given: argparse.Namespace, name: str) -> dict[str, list[dict[str, Hits]]]:
    kept: dict[str, list[dict[str, Hits]]] = {}
    for variant in (*_COSINES, *VARIANTS):
        paths = [_file(given, name, variant, seed) for seed in given.seeds]
        for path in paths:
            if path.exists():
                with np.load(path) as found:
                    kept.setdefault(variant, []).append({key: found[key] for key in found.files})
    return kept


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns an exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.linking_m3el", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, default=Path("../shared/data/linking"), help="folder of the sets")
    add("--work", type=Path, default=Path(".umbra/bench-linking-m3el"), help="keeps vectors, ranks")
    add("--out", type=Path, default=Path("docs/benchmarks"), help="where results go")
    add("--sets", nargs="*", default=list(SETS), help="none: write the page of what is kept")
    add("--seeds", type=int, nargs="+", default=[0, 1, 2])
    add("--epochs", type=int, default=5)
    add("--batch", type=int, default=64)
    add("--encoder", default="packaged")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)  # small products: more threads only wait for one another
    for name in given.sets:
        run_set(given, name)
    kept = {name: found for name in SETS if (found := _kept(given, name))}
    figures = {
        name: {
            "run": json.loads((given.work / f"{name}.json").read_text(encoding="utf-8")),
            "settings": {"epochs": given.epochs, "batch": given.batch, "seeds": given.seeds},
            "hits_at_1": {
                split: {
                    variant: [float((run[split] <= 1).mean()) for run in runs if split in run]
                    for variant, runs in found.items()
                }
                for split in ("valid", "test")
            },
        }
        for name, found in kept.items()
    }
    write_json(given.out / "linking-m3el.json", figures)
    with atomic_write(given.out / "linking-m3el.md") as file:
        file.write(page(kept, {name: figures[name]["run"] for name in kept}).encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
