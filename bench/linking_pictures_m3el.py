"""M3EL with all three modules on drawings, trained, against the cosine of the same encoders.

Question: does the trained network link emoji (a picture; a picture and a keyword) better than the
vectors that it stands on, and does each unit earn its place? Rivals: cosines of DINOv2's class
vector and of MiniLM's, added with a weight chosen on train and valid. Command: ``python -m
bench.linking_pictures_m3el --data FOLDER --work WORK --out docs/benchmarks`` (half an hour on two
free cores). Trained on the 982 train concepts of one artist, each once with its keyword and once
without; candidates are all 1,636; settings were chosen on valid; test is read for the figures
alone. A unit is left out of the mean of the trained network, which is not trained again. WORK keeps
vectors and results. Writes ``linking-pictures-m3el-*.json`` and ``linking-pictures-m3el.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bench.drawings import ARTISTS, MODES, Drawings
from bench.linking_pictures_m3el_page import page
from encoders.padding import unit
from evaluation import ranks, standard_error
from evaluation.machine import Measurement
from evaluation.results import RunResult, read_result
from evaluation.units import Units, units_path
from kg.files import atomic_write
from linkers.losses import fused
from linkers.matching import UNITS, MatchingConfig, MatchingNetwork
from linkers.training import Pairs, fit_matching

__all__ = ["MODES", "main", "name_of"]

_SEEDS = (0, 1, 2)
_BLOCK = 32
_WEIGHTS = (0.25, 0.5, 1.0, 2.0, 4.0)

Floats = NDArray[np.float32]
Hits = NDArray[np.float64]


def name_of(train: str, test: str, seed: int | str) -> str:
    """Return the name of a result; `seed` may be `cosine`."""
    mark = seed if isinstance(seed, str) else f"seed{seed}"
    return f"linking-pictures-m3el-{train}-to-{test}-{mark}.json"


def trained(data: Drawings, artist: str, given: argparse.Namespace, seed: int) -> MatchingNetwork:
    """Return the network trained on one artist, each mention with its keyword and without."""
    nothing = Pairs(mentions=data.base.take(torch.arange(0)), gold=np.zeros(0, np.int64))
    config = MatchingConfig(
        text_dimension=data.entities.text.shape[1],
        image_dimension=data.entities.image.shape[1],
        batch=128,
        epochs=given.epochs,
        learning_rate=given.learning_rate,
        parts=given.parts,
        start=given.start,
    )
    return fit_matching(
        data.base, data.part("train", artist, MODES, artist), nothing, config=config, seed=seed
    )


def network_hits(
    network: MatchingNetwork, data: Drawings, train: str, artist: str, mode: str
) -> dict[str, Hits]:
    """Return ``(n,)`` reciprocal ranks of the test mentions: with all units, and without each."""
    rows, mentions = data.rows("test"), data.seen(artist, mode, train)
    found: dict[str, list[Hits]] = {}
    with torch.inference_mode():
        whole = network.encode(data.base, "entity")
        for start in range(0, len(rows), _BLOCK):
            part = rows[start : start + _BLOCK]
            items = mentions.take(torch.from_numpy(part))
            scores, present = network(network.encode(items, "mention"), whole)
            for left_out in (None, *range(len(UNITS))):
                kept = present.clone()
                if left_out is not None:
                    kept[left_out] = False
                if not bool(kept.any()):
                    continue
                mean = fused(scores * kept, kept).double().numpy()
                name = "all" if left_out is None else UNITS[left_out]
                found.setdefault(name, []).append(1.0 / ranks(mean, data.gold[part]).realistic)
    return {name: np.concatenate(values) for name, values in found.items()}


def cosine_hits(data: Drawings, train: str, artist: str, mode: str) -> Hits:
    """Return ``(n,)`` reciprocal ranks by cosines; the keyword's weight is from train and valid."""
    rows, known = data.rows("test"), data.rows("train", "valid")
    if mode == "picture":
        return _reciprocal(_cosines(data, artist, "image", rows, train), data.gold[rows])
    sides = [
        [_cosines(data, artist, side, chosen, train) for side in ("image", "text")]
        for chosen in (known, rows)
    ]

    def good(weight: float) -> float:
        picture, words = sides[0]
        return float(_reciprocal(picture + weight * words, data.gold[known]).mean())

    weight = max(_WEIGHTS, key=good)
    return _reciprocal(sides[1][0] + weight * sides[1][1], data.gold[rows])


def _cosines(
    data: Drawings, artist: str, side: str, rows: NDArray[np.int64], train: str
) -> NDArray[np.float64]:
    mentions = getattr(data.seen(artist, MODES[1], train), side).numpy()[rows]
    return (unit(mentions) @ unit(getattr(data.base, side).numpy()).T).astype(np.float64)


def _reciprocal(scores: NDArray[np.float64], gold: NDArray[np.int64]) -> Hits:
    return 1.0 / ranks(scores, gold).realistic


def result_of(
    found: Mapping[str, Mapping[str, Hits]], data: Drawings, seed: int, command: str
) -> tuple[RunResult, Units]:
    """Return the result of one run: by mode the reciprocal ranks, with all units and without."""
    clock = Measurement.start()
    by: dict[str, dict[str, dict[str, float]]] = {"modality": {}, "without": {}}
    units: dict[str, Hits] = {}
    for mode, variants in found.items():
        for name, values in variants.items():
            hits = (values >= 1).astype(np.float64)
            split, part = ("modality", mode) if name == "all" else ("without", f"{name}, {mode}")
            by[split][part] = {
                "n": len(hits),
                "hits_at_1": float(hits.mean()),
                "mrr": float(values.mean()),
                "standard_error": standard_error(values),
                "hits_at_1_standard_error": standard_error(hits),
            }
            units[f"{split}={part} hits_at_1"] = hits
    every = found[MODES[1]]["all"]
    result = RunResult.measured(
        clock,
        command=command,
        seed=seed,
        protocol="link",
        inputs=data.inputs,
        n=len(every),
        metrics={"hits_at_1": float((every >= 1).mean()), "mrr": float(every.mean())},
        by={split: parts for split, parts in by.items() if parts},
    )
    return result, Units(values=units)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns an exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.linking_pictures_m3el", description=__doc__
    )
    add = parser.add_argument
    add("--data", type=Path, default=Path("../shared/data/linking"), help="folder of the set")
    add("--work", type=Path, default=Path(".umbra/bench-pictures-m3el"), help="keeps vectors")
    add("--out", type=Path, default=Path("docs/benchmarks"), help="where results go")
    add("--seeds", type=int, nargs="+", default=list(_SEEDS))
    add("--epochs", type=int, default=12)
    add("--learning-rate", type=float, default=1e-3)
    add("--parts", default="global", choices=("both", "global", "local"))
    add("--start", default="cosine", choices=("cosine", "random"))
    add("--image-encoder", default="packaged")
    add("--text-encoder", default="packaged")
    given = parser.parse_args(arguments)
    command, folder = "python -m bench.linking_pictures_m3el", given.work / "results"
    marks = [*given.seeds, "cosine"]
    files = {(a, b, m): folder / name_of(a, b, m) for a in ARTISTS for b in ARTISTS for m in marks}
    if not all(file.exists() for file in files.values()):
        data = Drawings.read(given)
        for train in ARTISTS:
            for mark in marks:
                wanted = [b for b in ARTISTS if not files[train, b, mark].exists()]
                network = trained(data, train, given, mark) if wanted and mark != "cosine" else None
                for test in wanted:
                    if network is None:
                        found = {m: {"all": cosine_hits(data, train, test, m)} for m in MODES}
                    else:
                        found = {m: network_hits(network, data, train, test, m) for m in MODES}
                    seed = 0 if network is None else mark
                    result, units = result_of(found, data, seed, command)
                    units.save(units_path(files[train, test, mark]), inputs=result.inputs)
                    result.save(files[train, test, mark])
                    sys.stderr.write(f"{name_of(train, test, mark)}: {result.metrics}\n")
    runs = {
        (a, b): [(read_result(files[a, b, m]), files[a, b, m]) for m in marks]
        for a in ARTISTS
        for b in ARTISTS
    }
    for run, file in (one for kept in runs.values() for one in kept):
        run.save(given.out / file.name)
    with atomic_write(given.out / "linking-pictures-m3el.md") as out:
        told = {"epochs": given.epochs, "rate": given.learning_rate}
        out.write(page(runs, **told, start=given.start, parts=given.parts).encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
