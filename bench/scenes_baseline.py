"""Which reading of the strong baseline's description gives its published figures?

The baseline of the VRD figures is known by three sentences and three rows: class embeddings (64)
and 16 box features into a two-layer network, times a second network's probability that a pair is
annotated at all, the training logits shifted by tau · log frequency. Question: what must be filled
in to get R@50 52.1 with mR@50 23.4 at tau 0.4? Each reading is trained on all of train and compared
with the published row on test; nothing of ours is chosen by it. The first reading is run with
``--seeds`` seeds and each tau, the others once. Command: ``python -m bench.scenes_baseline VRD
--work WORK`` (twenty seconds of a free core a training). WORK keeps what networks said: a run that
was stopped goes on. Writes ``scenes-baseline.json`` and ``.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench.scenes_baseline_networks import Reading, Trial
from bench.scenes_data import Vrd, command_of, keep, measured, parser_of, per_cent, seeded
from evaluation import Measurement
from evaluation.results import RunResult
from scenes.relations.recall import rank_relations
from scenes.relations.weighting import PLAIN, Weighting

__all__ = ["CHOSEN", "PUBLISHED", "READINGS", "main"]

PUBLISHED: Mapping[float, tuple[float, ...]] = {
    0.0: (55.5, 13.3, 73.1, 37.9),
    0.2: (54.2, 19.9, 72.6, 38.4),
    0.4: (52.1, 23.4, 70.2, 36.9),
}
"""R@50 and mR@50 of one predicate a pair, R@50 and zR@50 of all, per cent, by tau."""

CHOSEN = "first"
"""The reading that stands for the baseline in `bench.scenes_predcls`."""

_TAU = 0.4
_BASE = Reading(spread=0.1, epochs=25, shared=True)
_SHORT = replace(_BASE, epochs=20, shared=False)
READINGS: Mapping[str, Reading] = {
    CHOSEN: _BASE,
    "two tables": replace(_BASE, shared=False),
    "two tables, 30 epochs": replace(_BASE, shared=False, epochs=30),
    "20 epochs": replace(_BASE, epochs=20),
    "two tables, 20 epochs": _SHORT,
    "the same, deviation 0.3": replace(_SHORT, spread=0.3),
    "the same, deviation 1": replace(_SHORT, spread=1.0),
    "the same, deviation 1, 10 epochs": replace(_SHORT, spread=1.0, epochs=10),
    "the same, 26 features": replace(_SHORT, boxes=False),
    "the same, 26 features, 25 epochs": replace(_SHORT, boxes=False, epochs=25),
    "the same, 26 features, deviation 1": replace(_SHORT, boxes=False, spread=1.0),
    "the same, 26 features, dropout 0.3": replace(_SHORT, boxes=False, dropout=0.3),
    "the same, 26 features, dropout 0.3, deviation 1": replace(
        _SHORT, boxes=False, dropout=0.3, spread=1.0
    ),
    "the same, 26 features, width 512": replace(_SHORT, boxes=False, hidden=512),
    "the same, two hidden layers": replace(_SHORT, depth=2),
    "the same, rate that rises to 2e-3 and falls": replace(_SHORT, cycle=True, rate=2e-3),
    "the same, rate 3e-3": replace(_SHORT, rate=3e-3),
    "the same, a pair's predicates in equal parts": replace(_SHORT, each=False),
    "the same, each predicate alone (sigmoid)": replace(_SHORT, sigmoid=True),
    "the same, shifted when ranking only": replace(_SHORT, joint=True),
}
"""By what they have otherwise than the first."""

_KEYS = {
    "recall_at_50": "R@50",
    "mean_recall_at_50": "mR@50",
    "recall_at_50_unconstrained": "R@50 unconstrained",
    "zero_shot_recall_at_50_unconstrained": "zR@50 unconstrained",
}


_KNOWN = """
What is known of the baseline (`data/README.md`): class embeddings (64) and 16 box features go into
a two-layer network, times a second network's probability that a pair is annotated at all, the
training logits shifted by τ · log frequency. The first reading fills in: both boxes and eight of
their relations; one table of embeddings for subjects and objects, of deviation 0.1 at the start;
one hidden layer of 256 (ReLU); 25 epochs of Adam at 1e-3 in batches of 512, no dropout, no weight
decay; each triplet an example; softmax over predicates without background, scores not shifted when
ranking; the pair's network has the same form with two tables of deviation 1, and 4 epochs in
batches of 1024. The others differ from it as their names say; *the same* is two tables and 20
epochs. They were tried in turn until one came near the published rows on test: of the baseline's
figures test was looked at for each, and nothing of ours is tuned on it. ± is the standard error
over seeds.
"""
_READ = """
The first reading is the published baseline as far as figures can tell: at τ 0.4 its mean recall and
its zero-shot recall are the published ones within a standard error, its recall lies half a point
below, and half a point above without the constraint. At smaller τ it has up to two points less.
Readings that fit train more closely (wider embeddings at the start, more epochs) have more mean
recall, and less recall and zero-shot recall; those that fit it less (dropout, predicates in equal
parts) the other way round. A rare predicate has one or two test triplets, each worth up to 1.6
points of mean recall.
"""


def figures(trial: Trial, reading: Reading, tau: float, seed: int) -> dict[str, float]:
    """Train a reading and judge it.

    Args:
        trial: Images.
        reading: Of the description.
        tau: Of the shift.
        seed: Of the training.
    """
    weighting = Weighting(shift=tau) if reading.joint else PLAIN
    ranked = rank_relations(trial.scorer(reading, tau, seed), trial.judged, weighting=weighting)
    reports = dict(ranked.reports())
    new = ranked.only(ranked.new).reports() if ranked.new.any() else reports.items()
    return {
        "recall_at_50": reports["_at_50"].recall,
        "mean_recall_at_50": reports["_at_50"].mean_recall,
        "recall_at_50_unconstrained": reports["_at_50_unconstrained"].recall,
        "zero_shot_recall_at_50_unconstrained": dict(new)["_at_50_unconstrained"].recall,
    }


def page(result: RunResult) -> str:
    """Return the page of a result."""
    lines = [
        "# The strong baseline, in several readings\n",
        (
            f"Written by `{result.command}`, commit {result.commit}, {result.date}, "
            f"{result.machine.cores} cores, no GPU. VRD, PredCls, test. Per cent.\n"
        ),
        _KNOWN.lstrip(),
        "| reading | τ | seeds | " + " | ".join(_KEYS.values()) + " |",
        "|---|---|---|" + "---|" * len(_KEYS),
    ]
    for tau in sorted(PUBLISHED, reverse=True):
        lines.append(f"| **published** | {tau} | | " + " | ".join(map(str, PUBLISHED[tau])) + " |")
        for name in READINGS:
            row = result.by["reading"].get(f"{name}, τ {tau}")
            if row is not None:
                cells = " | ".join(per_cent(row, key) for key in _KEYS)
                lines.append(f"| {name} | {tau} | {row['n']:.0f} | {cells} |")
    return "\n".join([*lines, _READ])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = parser_of(__doc__, seeds=5)
    parser.add_argument("--work", type=Path, required=True, help="keeps what networks said")
    parser.add_argument("--readings", nargs="+", choices=READINGS, default=list(READINGS))
    given = parser.parse_args(argv)
    clock = Measurement.start()
    data = Vrd.read(given.vrd, valid=given.valid)
    trial = Trial(vocabulary=data.vocabulary, train=data.train, judged=data.judged, work=given.work)
    rows: dict[str, dict[str, float]] = {}
    for name in given.readings:
        chosen = name == CHOSEN
        for tau in PUBLISHED if chosen else (_TAU,):
            runs = []
            for seed in range(given.seeds if chosen else 1):
                runs.append(figures(trial, READINGS[name], tau, seed))
                print(name, tau, seed, runs[-1], file=sys.stderr, flush=True)
            rows[f"{name}, τ {tau}"] = {"n": len(runs), "tau": tau, **seeded(runs)}
    result = measured(
        clock,
        data,
        command=command_of("bench.scenes_baseline", given, "seeds"),
        protocol="predcls",
        seeds=range(given.seeds),
        n=len(data.judged),
        metrics={},
        by={"reading": rows},
    )
    keep(result, page(result), "scenes-baseline", given)
    return 0


if __name__ == "__main__":
    sys.exit(main())
