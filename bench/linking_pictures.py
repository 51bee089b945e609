"""Linking of drawings by an artist to drawings by another: emoji, all 1,636 candidates.

Question: how often is the right entity first for concepts of which no training mention shows a
picture, drawn by the artist of the training mentions, and by one whom nobody has seen? Rivals: the
cosine of the image encoder, nothing trained. Command: ``make bench-linking-pictures``, or ``python
-m bench.linking_pictures --data FOLDER --work WORK --out docs/benchmarks`` (half an hour on two
free cores, most of it encoding). Trained on the 982 train concepts of one artist; the parts are
judged by folds over train and valid; test is read for the figures alone. WORK keeps vectors and
results. Writes ``linking-pictures-*.json`` and ``linking-pictures.md``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from api.steps.encoders import layered_encoder_named, text_encoder_named
from api.steps.evaluate_pictures import PictureEvaluation, PictureTrial
from bench.drawings import ARTISTS, BASE
from bench.linking_pictures_page import Parts, page
from encoders.padding import unit
from evaluation import ranks
from evaluation.results import RunResult, read_result
from evaluation.units import Units, units_path
from kg.files import atomic_write, read_json, write_json
from linkers.hubness import hubness
from linkers.visual import Fusion, Looks, VisualConfig
from linkers.visual.maps import components_of, learn_maps
from linkers.visual.matcher import held_out_units

__all__ = ["COSINE", "main", "name_of"]

COSINE = "cosine"
_SEEDS = (0, 1, 2)
_FOLDS = 2  # of the weights, where parts are left out
_RIVALS = 400  # entities that these weights are fitted against


def name_of(train: str, test: str, seed: int | str) -> str:
    """Return the name of a result; `seed` may be `COSINE`."""
    mark = seed if isinstance(seed, str) else f"seed{seed}"
    return f"linking-pictures-{train}-to-{test}-{mark}.json"


def cosine_result(trial: PictureTrial, like: RunResult) -> tuple[RunResult, Units]:
    """Return figures of the cosine of the encoder's class vector, each side about its own mean.

    Args:
        trial: What is judged.
        like: A result of the same mentions, of which all but the figures is taken.
    """
    kind = "layer 3" if "layer 3" in trial.base.looks.kinds else "whole"
    means = [_mean(looks, kind) for looks in (trial.train.looks, trial.base.looks)]
    mentions = unit((trial.test.looks.kinds[kind] - means[0]).astype(np.float32))
    entities = unit((trial.base.looks.kinds[kind] - means[1]).astype(np.float32))
    inside = trial.gold >= 0
    found = ranks(mentions[inside] @ entities.T, trial.gold[inside]).realistic
    hits = (found <= 1).astype(np.float64)
    figures = {
        "hits_at_1": float(hits.mean()),
        "mrr": float((1 / found).mean()),
        "recall_at_64": float((found <= 64).mean()),
    }
    by = {"modality": {"picture": {"n": len(hits), **figures}}}
    result = replace(like, seed=0, metrics=figures, by=by)
    return result, Units(values={"modality=picture hits_at_1": hits})


def _mean(looks: Looks, kind: str) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = looks.kinds[kind][looks.present].mean(axis=0)
    return mean


def parts_of(trial: PictureTrial, seed: int) -> dict[str, dict[str, list[float]]]:
    """Return the hits of each held-out mention, with all units and without each, by mode.

    Args:
        trial: Of one artist, judged on valid: its training mentions and these are the folds.
        seed: Of the folds.
    """
    looks = [trial.train.looks, trial.test.looks]
    kinds = {name: np.concatenate([side.kinds[name] for side in looks]) for name in looks[0].kinds}
    whole = replace(
        trial.train,
        looks=Looks(kinds=kinds, present=np.concatenate([side.present for side in looks])),
        mentions=trial.train.mentions + trial.test.mentions,
    )
    gold = np.concatenate([trial.train_gold, trial.gold])
    found: dict[str, dict[str, list[float]]] = {}
    config = VisualConfig()
    names = learn_maps(
        trial.base, trial.train, trial.train_gold, config, components_of(trial.base, config)
    ).names
    held = held_out_units(trial.base, whole, gold, config=config, seed=seed)
    for mode in ("picture", "picture and words"):
        scores, own = held[mode]
        every = np.arange(len(scores))
        variants = {"all": every} | {
            name: np.delete(every, place) for place, name in enumerate(names[mode])
        }
        found[mode] = {
            name: _held_out_hits(scores[kept], own).tolist() for name, kept in variants.items()
        }
        found[mode]["hub correction"] = _held_out_hits(scores, own, share=0.0).tolist()
    return found


def _held_out_hits(
    scores: NDArray[np.float32], gold: NDArray[np.int64], share: float = VisualConfig().hub_share
) -> NDArray[np.float64]:
    """Return ``(n,)`` hits; weights and hubness are learnt of the other folds' mentions."""
    hits = np.zeros(len(gold))
    part = np.arange(len(gold)) % _FOLDS
    for number in range(_FOLDS):
        held = part == number
        fusion = Fusion.fit(scores[:, ~held], gold[~held], rivals=_RIVALS)
        hubs = hubness(fusion(scores[:, ~held]), gold[~held])
        fused = (fusion(scores[:, held]) - share * hubs).astype(np.float64)
        hits[held] = ranks(fused, gold[held]).realistic <= 1
    return hits


def _trial(given: argparse.Namespace, train: str, test: str, split: str = "test") -> PictureTrial:
    started = time.monotonic()

    def show(done: int, total: int) -> None:
        if done == total:
            seconds = time.monotonic() - started
            sys.stderr.write(f"{train} to {test}: {done} pictures, {seconds:.0f} s\n")

    rows, pictures = given.data / "emoji.jsonl.gz", given.data / "emoji_64.npz"
    task = PictureEvaluation(
        mentions=rows,
        entities=rows,
        mention_images=f"{pictures}:{test}",
        entity_images=f"{pictures}:{BASE}",
        train_images=f"{pictures}:{train}",
        split=split,
        cache=given.work / "vectors",
    )
    return PictureTrial(
        task,
        layered_encoder_named(given.image_encoder, given.work / "vectors"),
        text_encoder_named(given.text_encoder, None),
        progress=show,
    )


def run_artist(given: argparse.Namespace, train: str, command: str) -> None:
    """Train on one artist and judge on both."""
    folder: Path = given.work / "results"
    marks = [*given.seeds, COSINE]
    missing = [m for m in marks for t in ARTISTS if not (folder / name_of(train, t, m)).exists()]
    if not missing:
        return
    trials = {test: _trial(given, train, test) for test in ARTISTS}
    for seed in given.seeds:
        matcher = trials[train].fit(seed=seed)
        for test, trial in trials.items():
            _keep(
                folder / name_of(train, test, seed),
                *trial.judge(matcher, seed=seed, command=command),
            )
    for test, trial in trials.items():
        like = read_result(folder / name_of(train, test, given.seeds[0]))
        _keep(folder / name_of(train, test, COSINE), *cosine_result(trial, like))


def _keep(out: Path, result: RunResult, units: Units) -> None:
    units.save(units_path(out), inputs=result.inputs)
    result.save(out)
    sys.stderr.write(f"{out.name}: {dict(result.metrics)}\n")


def write_page(given: argparse.Namespace, parts: Parts) -> None:
    """Copy the results and write the page; it is written before the slow parts are there, too."""
    runs = {}
    for train in ARTISTS:
        for test in ARTISTS:
            names = [name_of(train, test, mark) for mark in (*given.seeds, COSINE)]
            files = [given.work / "results" / name for name in names]
            runs[train, test] = [(read_result(file), file) for file in files]
            for run, file in runs[train, test]:
                run.save(given.out / file.name)
    with atomic_write(given.out / "linking-pictures.md") as out:
        out.write(page(runs, parts).encode())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns an exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.linking_pictures", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, default=Path("../shared/data/linking"), help="folder of the set")
    add("--work", type=Path, default=Path(".umbra/bench-pictures"), help="keeps vectors, results")
    add("--out", type=Path, default=Path("docs/benchmarks"), help="where results go")
    add("--seeds", type=int, nargs="+", default=list(_SEEDS))
    add("--no-parts", action="store_false", dest="parts", help="leave out the folds without a part")
    add("--image-encoder", default="packaged")
    add("--text-encoder", default="packaged")
    given = parser.parse_args(arguments)
    command = "python -m bench.linking_pictures"
    folder: Path = given.work / "results"
    for train in ARTISTS:
        run_artist(given, train, command)
    write_page(given, {})
    parts = {}
    for train in ARTISTS if given.parts else ():
        file = folder / f"parts-{train}.json"
        if not file.exists():
            write_json(file, parts_of(_trial(given, train, train, "valid"), given.seeds[0]))
        parts[train] = read_json(file, kind="table of parts")
    write_page(given, parts)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
