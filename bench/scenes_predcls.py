"""Predicates of given pairs (PredCls) on VRD's annotations: every model, five seeds, test once.

Question: does one model, in one setting, find more rare predicates and more triplets of classes
that are new than the strong baseline (embeddings and box features, network times pair, trained with
logits shifted by 0.4 log frequency: `bench.scenes_baseline`) at no lower recall? Command: ``make
bench-scenes``, or ``python -m bench.scenes_predcls --data FOLDER --work WORK --out
docs/benchmarks`` (half an hour on one core). Settings were chosen on the held-out fifth of train.
WORK keeps what was measured: a bench that was stopped goes on where it was. Writes
``scenes-predcls.json``, ``.svg`` and ``.md``.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from api.settings import load_settings
from api.steps.encoders import text_encoder_named
from api.steps.evaluate_relations import RELATION_LEARNERS, RelationKind, relation_learner
from bench.scenes_baseline import CHOSEN, READINGS
from bench.scenes_baseline_networks import Trial
from bench.scenes_data import Told
from bench.scenes_predcls_page import draw, page
from evaluation import paired_bootstrap
from evaluation.machine import Measurement, current_commit, this_machine
from kg.files import atomic_write, write_json
from scenes.relations.annotations import (
    AnnotatedImage,
    Vocabulary,
    read_annotations,
    read_vocabulary,
)
from scenes.relations.checkpoint import load_relation_model, save_relation_model
from scenes.relations.model import RelationModel, Scorer
from scenes.relations.recall import RankedTriplets, figures_of, rank_relations
from scenes.relations.weighting import BALANCED, PLAIN, Weighting

__all__ = ["main"]

_SHIFTED = Weighting(shift=0.4)
_RUNS: Mapping[RelationKind, Mapping[str, Weighting]] = {
    "prior": {"plain": PLAIN},
    "logistic": {"plain": PLAIN, "balanced": BALANCED},
    "context": {"plain": PLAIN, "balanced": BALANCED},
    "baseline": {"plain": PLAIN, "shifted": _SHIFTED, "balanced": BALANCED},
    "network": {"plain": PLAIN, "shifted": _SHIFTED, "balanced": BALANCED},
}
_STRONG = "strong"
_STRONG_READING = READINGS[CHOSEN]
_STRONG_RUNS = {"plain": 0.0, "shifted": 0.4}
_TAUS = (0.0, 0.2, 0.4, 0.6, 0.8)
_CURVE = {
    "shift": [Weighting(shift=tau) for tau in _TAUS],
    "worth": [
        Weighting(mean_recall=weight, novelty=BALANCED.novelty)
        for weight in (0.0, 0.3, 0.6, 1.0, 2.0)
    ],
}
_CURVE_KINDS = ("baseline", "network")
_GOALS = ("recall_at_50", "mean_recall_at_50", "zero_shot_recall_at_50_unconstrained")


def remembered(model: RelationModel, images: Sequence[AnnotatedImage]) -> Told:
    """Score images once: settings differ in weights alone."""
    names = [image.name for image in images]
    scores = dict(zip(names, model.score(images), strict=True))
    return Told(model.vocabulary, model.counts, scores)


class Bench:
    """One data set, read once.

    Args:
        data: Folder of ``vocabulary.json``, ``train.jsonl.gz`` and ``test.jsonl.gz``.
        work: Folder that keeps what was measured.
        images: Only the first of each file; None for all.
    """

    def __init__(self, data: Path, work: Path, images: int | None) -> None:
        self.work = work
        self.vocabulary: Vocabulary = read_vocabulary(data / "vocabulary.json")
        self.train, self.test = (
            read_annotations(data / f"{name}.jsonl.gz", self.vocabulary)[:images]
            for name in ("train", "test")
        )
        self.encoder = text_encoder_named(load_settings().text_encoder, None)

    def measured(self, kind: RelationKind, seed: int) -> dict[str, Any]:
        """Train a model and judge it in each of its settings, or read what was kept of that."""
        kept = self.work / f"predcls-{kind}-{seed}.json"
        if not kept.exists():
            clock = Measurement.start()
            model = self.trained(kind, seed)
            scored = remembered(model, self.test)
            runs = {name: self._judged(scored, one) for name, one in _RUNS[kind].items()}
            curves = kind in _CURVE_KINDS and seed == 0
            write_json(
                kept,
                {
                    "runs": runs,
                    "curve": list(self._curve(scored)) if curves else [],
                },
            )
            print(f"{kind} {seed}: {clock.seconds:.0f} s", file=sys.stderr)
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return found

    def strong(self, seed: int) -> dict[str, Any]:
        """Train the strong baseline for each shift and judge it, or read what was kept of that."""
        kept = self.work / f"predcls-{_STRONG}-{seed}.json"
        if not kept.exists():
            trial = Trial(
                vocabulary=self.vocabulary, train=self.train, judged=self.test, work=self.work
            )
            runs = {
                name: self._judged(trial.scorer(_STRONG_READING, tau, seed), PLAIN)
                for name, tau in _STRONG_RUNS.items()
            }
            curve = [
                self._point(trial.scorer(_STRONG_READING, tau, seed), PLAIN, "shift", tau)
                for tau in (_TAUS if seed == 0 else ())
            ]
            write_json(kept, {"runs": runs, "curve": curve})
            print(f"{_STRONG} {seed}", file=sys.stderr)
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return found

    def trained(self, kind: RelationKind, seed: int) -> RelationModel:
        """Train a model, or read the one that was kept."""
        folder = self.work / f"predcls-{kind}-{seed}"
        if not folder.exists():
            learner = relation_learner(kind, self.encoder)
            save_relation_model(learner.fit(self.train, self.vocabulary, seed=seed), folder)
        return load_relation_model(folder)

    def _judged(self, scored: Scorer, weighting: Weighting) -> dict[str, Any]:
        ranked = rank_relations(scored, self.test, weighting=weighting)
        figures = figures_of(ranked)
        return {
            "n": figures.n,
            "metrics": dict(figures.metrics),
            "by": {split: dict(parts) for split, parts in figures.by.items()},
            "units": {name: list(one) for name, one in _units(ranked).items()},
        }

    def _curve(self, scored: Scorer) -> Iterator[dict[str, Any]]:
        for name, weightings in _CURVE.items():
            for weighting in weightings:
                value = weighting.shift if name == "shift" else weighting.mean_recall
                yield self._point(scored, weighting, name, value)

    def _point(
        self, scored: Scorer, weighting: Weighting, rule: str, value: float
    ) -> dict[str, Any]:
        ranked = rank_relations(scored, self.test, weighting=weighting)
        reports = dict(ranked.reports())
        new = dict(ranked.only(ranked.new).reports())
        return {
            "rule": rule,
            "value": value,
            "recall_at_50": reports["_at_50"].recall,
            "mean_recall_at_50": reports["_at_50"].mean_recall,
            "zero_shot_recall_at_50_unconstrained": new["_at_50_unconstrained"].recall,
        }


def _units(ranked: RankedTriplets) -> dict[str, list[float]]:
    """Return the values of the images for the three figures that decide."""
    report = dict(ranked.reports())["_at_50"]
    new = dict(ranked.only(ranked.new).reports())["_at_50_unconstrained"]
    units = (report.recall_units, report.mean_recall_units, new.recall_units)
    return {name: one.tolist() for name, one in zip(_GOALS, units, strict=True)}


def _difference(
    runs: Mapping[str, Sequence[Mapping[str, Any]]], ours: str, theirs: str
) -> dict[str, dict[str, float]]:
    """Compare runs by a paired bootstrap over images, an image's values averaged over seeds."""
    found = {}
    for goal in _GOALS:
        one, other = (
            np.mean([run["units"][goal] for run in runs[name]], axis=0) for name in (ours, theirs)
        )
        difference = paired_bootstrap(one, other)
        found[goal] = {
            "mean": difference.mean,
            "low": difference.low,
            "high": difference.high,
            "images": difference.units,
        }
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/scenes/vrd"))
    parser.add_argument("--work", type=Path, default=Path(".umbra/bench-scenes"))
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--seeds", type=int, default=5, help="how many (default 5)")
    parser.add_argument(
        "--kinds",
        nargs="+",
        choices=tuple(_RUNS),
        default=tuple(_RUNS),
        help="models; those of the goals are network, baseline and prior (default all)",
    )
    parser.add_argument("--images", type=int, help="only the first images of each file")
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given)
    clock = Measurement.start()
    bench = Bench(arguments.data, arguments.work, arguments.images)
    runs: dict[str, list[dict[str, Any]]] = {}
    summary: dict[str, Any] = {
        "command": shlex.join(["python", "-m", "bench.scenes_predcls", *given]),
        "commit": current_commit(),
        "date": clock.date,
        "machine": {"cores": this_machine().cores, "memory_gb": this_machine().memory_gb},
        "seeds": arguments.seeds,
        "train_images": len(bench.train),
        "test_images": len(bench.test),
        "curve": [],
    }
    for kind in sorted(arguments.kinds, key=RELATION_LEARNERS.index, reverse=True):
        seeds = 1 if kind == "prior" else arguments.seeds
        measured = [bench.measured(kind, seed) for seed in range(seeds)]
        for name in _RUNS[kind]:
            runs[f"{kind} {name}"] = [one["runs"][name] for one in measured]
        summary["curve"] += [{"model": kind, **point} for point in measured[0]["curve"]]
    strong = [bench.strong(seed) for seed in range(arguments.seeds)]
    for name in _STRONG_RUNS:
        runs[f"{_STRONG} {name}"] = [one["runs"][name] for one in strong]
    summary["curve"] += [{"model": _STRONG, **point} for point in strong[0]["curve"]]
    summary["difference"] = _difference(runs, "network balanced", f"{_STRONG} shifted")
    summary["runs"] = {
        name: [{key: one[key] for key in ("n", "metrics", "by")} for one in of_seeds]
        for name, of_seeds in runs.items()
    }
    for of_seeds in summary["runs"].values():
        for one in of_seeds[1:]:
            del one["by"]["predicate"]  # those of the first seed are shown
    write_json(arguments.out / "scenes-predcls.json", summary)
    draw(summary, arguments.out / "scenes-predcls.svg")
    with atomic_write(arguments.out / "scenes-predcls.md") as file:
        file.write(page(summary).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
