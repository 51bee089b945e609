"""Linking of text mentions to 40,248 entities that have names only: two public sets.

Question: how often is the right entity first, and is that so for entities that no training mention
names? Rivals: the same ranker without memory of training mentions (the no-prior baseline), and
character TF-IDF of names. Command: ``make bench-linking``, or ``python -m bench.linking --data
FOLDER --work WORK --out docs/benchmarks`` (an hour on two free cores). Settings were chosen on
valid; test is read for the figures alone. WORK keeps vectors and results: a bench that was stopped
goes on where it was, and without WORK it starts anew. Writes ``linking-*.json`` and ``linking.md``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from api.steps.encoders import text_encoder_named
from api.steps.evaluate_linking import LinkEvaluation, LinkTrial
from bench.linking_page import page
from evaluation import current_commit, ranks, standard_error, this_machine
from evaluation.results import RunResult, read_result
from evaluation.units import Units, units_path
from kg.files import atomic_write
from linkers.boosted import RankerConfig, TreeConfig
from linkers.names import latin

__all__ = ["SETS", "main", "results_in"]

SETS = ("wikidiverse", "wikidata-mel")
WITHHELD = 0.3
_SEEDS = (0, 1, 2)
_KINDS = ("memory", "no-memory", "tfidf", "nil")


def name_of(data_set: str, kind: str, seed: int) -> str:
    """Return the name of a result: of `memory`, `no-memory`, `tfidf`, or `nil`."""
    return f"linking-{data_set}-{kind}-seed{seed}.json"


def tfidf_result(trial: LinkTrial, *, command: str) -> tuple[RunResult, Units]:
    """Return figures of character TF-IDF on names, over the whole base."""
    index, mentions = trial.material.index, trial.test.mentions
    gold = np.array([trial.table.ids.get(str(key), -1) for key in trial.test.gold])
    found = np.zeros(len(gold))
    for start in range(0, len(gold), 128):
        block = mentions[start : start + 128]
        encoded = index.letters.encode([latin(mention.surface) for mention in block])
        letters = index.letters.similarities(encoded)
        found[start : start + 128] = ranks(letters, gold[start : start + 128]).realistic
    hits, reciprocal = (found <= 1).astype(np.float64), 1.0 / found
    known = {str(key) for key in trial.train.gold}
    seen = np.array([str(key) in known for key in trial.test.gold])
    parts = {"seen": seen, "unseen": ~seen}
    result = RunResult(
        command=command,
        commit=current_commit(),
        date=trial.clock.date,
        machine=this_machine(),
        protocol="link",
        inputs=trial.inputs,
        n=len(gold),
        seconds=trial.clock.seconds,
        peak_memory_mb=0.0,
        metrics={"hits_at_1": float(hits.mean()), "mrr": float(reciprocal.mean())},
        by={
            "group": {
                name: {
                    "n": int(mask.sum()),
                    "hits_at_1": float(hits[mask].mean()),
                    "mrr": float(reciprocal[mask].mean()),
                    "standard_error": standard_error(reciprocal[mask]),
                }
                for name, mask in parts.items()
                if mask.any()
            }
        },
    )
    return result, Units(values={"all hits_at_1": hits, "all mrr": reciprocal})


def run_set(given: argparse.Namespace, data_set: str, command: str) -> None:
    """Judge all rankers on one set."""
    wanted = [
        (kind, seed)
        for kind in ("memory", "no-memory")
        for seed in given.seeds
        if not (_results(given) / name_of(data_set, kind, seed)).exists()
    ]
    baseline = _results(given) / name_of(data_set, "tfidf", 0)
    if not wanted and baseline.exists():
        return
    trial = _trial(given, data_set)
    if not baseline.exists():
        _keep(baseline, *tfidf_result(trial, command=command))
    for kind, seed in wanted:
        config = _config(given, memory=kind == "memory")
        result, units = trial.run(config=config, seed=seed, command=command)
        _keep(_results(given) / name_of(data_set, kind, seed), result, units)


def run_nil(given: argparse.Namespace, data_set: str, command: str) -> None:
    """Judge NIL with three draws of withheld entities."""
    for seed in given.seeds:
        out = _results(given) / name_of(data_set, "nil", seed)
        if out.exists():
            continue
        trial = _trial(given, data_set, withhold=WITHHELD, withhold_seed=seed)
        _keep(out, *trial.run(config=_config(given), seed=seed, command=command))


def _trial(
    given: argparse.Namespace, data_set: str, *, withhold: float = 0.0, withhold_seed: int = 0
) -> LinkTrial:
    started = time.monotonic()

    def show(done: int, total: int) -> None:
        if done == total or done % 2048 == 0:
            seconds = time.monotonic() - started
            sys.stderr.write(f"{data_set}: {done} of {total} mentions, {seconds:.0f} s\n")

    task = LinkEvaluation(
        mentions=given.data / f"{data_set}.jsonl.gz",
        entities=given.data / "entities.jsonl.gz",
        withhold=withhold,
        withhold_seed=withhold_seed,
        cache=given.work,
    )
    return LinkTrial(task, text_encoder_named(given.encoder, None), progress=show)


def _results(given: argparse.Namespace) -> Path:
    folder: Path = given.work / "results"
    return folder


def _config(given: argparse.Namespace, *, memory: bool = True) -> RankerConfig:
    return RankerConfig(memory=memory, trees=TreeConfig(trees=given.trees))


def _keep(out: Path, result: RunResult, units: Units) -> None:
    units.save(units_path(out), inputs=result.inputs)
    result.save(out)
    sys.stderr.write(f"{out.name}: {dict(result.metrics)}\n")


def results_in(folder: Path, data_set: str, kind: str) -> list[tuple[RunResult, Path]]:
    """Return the kept results of one kind, by seed."""
    found = sorted(folder.glob(name_of(data_set, kind, 0).replace("seed0", "seed*")))
    return [(read_result(path), path) for path in found]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns an exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.linking", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, default=Path("../shared/data/linking"), help="folder of the sets")
    add("--work", type=Path, default=Path(".umbra/bench-linking"), help="keeps vectors and results")
    add("--out", type=Path, default=Path("docs/benchmarks"), help="where results go")
    add("--sets", nargs="*", default=list(SETS), help="none: write the page of what is kept")
    add("--nil", nargs="*", default=["wikidiverse"], help="sets whose entities are withheld too")
    add("--seeds", type=int, nargs="+", default=list(_SEEDS))
    add("--trees", type=int, default=TreeConfig().trees)
    add("--encoder", default="packaged")
    given = parser.parse_args(arguments)
    command = "python -m bench.linking"
    for data_set in given.sets:
        run_set(given, data_set, command)
    for data_set in given.nil:
        run_nil(given, data_set, command)
    results = _results(given)
    kept = {
        data_set: {kind: results_in(results, data_set, kind) for kind in _KINDS}
        for data_set in SETS
    }
    for run, path in (one for kinds in kept.values() for runs in kinds.values() for one in runs):
        run.save(given.out / path.name)
    with atomic_write(given.out / "linking.md") as file:
        file.write(page({name: kinds for name, kinds in kept.items() if kinds["memory"]}).encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
