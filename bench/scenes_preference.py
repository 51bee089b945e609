"""Does it help to prefer annotated predicates to those that boxes and counts refute (SENTINEL)?

On the held-out tenth of VRD's train, never on test. How many annotated pairs are there of which the
default networks rank high what both refute, and what does the preference loss change, one pass over
these pairs, in recall and mean recall? Rule: it is used if it wins a point of mR@50. Command:
``python -m bench.scenes_preference VRD --work WORK`` (some four minutes of a free core; WORK keeps
what was measured). Writes ``scenes-preference.json`` and ``.md``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bench.scenes_data import Vrd, gained, keep, measured, parser_of, per_cent, seeded
from encoders import TextEncoder, packaged_text_encoder
from evaluation import Measurement
from evaluation.results import RunResult
from kg.files import write_json
from scenes.relations.inputs import PairInputs
from scenes.relations.network import NetworkLearner, NetworkModel
from scenes.relations.pairs import PairTable
from scenes.relations.perceptron import outputs
from scenes.relations.preference import prefer, refuted_guesses
from scenes.relations.recall import figures_of, rank_relations
from scenes.relations.weighting import BALANCED, PLAIN, Weighting

__all__ = ["main", "page"]

_AMONG = (3, 5, 10)
_WAYS: Mapping[str, Weighting] = {"plain": PLAIN, "balanced": BALANCED}
_KEYS = {"recall_at_50": "R@50", "mean_recall_at_50": "mR@50"}

Figures = dict[str, dict[str, float]]


def measure(data: Vrd, encoder: TextEncoder, work: Path, seed: int) -> Figures:
    """Train, count what is refuted, prefer, and judge before and after; or read what was kept.

    Args:
        data: Train without the held-out tenth, and this.
        encoder: Of names.
        work: Keeps the figures.
        seed: Of the training.
    """
    kept = work / f"preference-{seed}.json"
    if kept.exists():
        found: Figures = json.loads(kept.read_text(encoding="utf-8"))
        return found
    model = NetworkLearner(encoder=encoder).fit(data.train, data.vocabulary, seed=seed)
    table, inputs = model.ground.seen(data.train)
    scores = _told(model, table, inputs)
    found = _judged(model, data, "before")
    for name, weighting in _WAYS.items():
        weighed = weighting.weighted(scores, model.counts, table.labels)
        for among in _AMONG:
            wanted = refuted_guesses(
                data.train, table, model.counts, weighed, data.vocabulary, among=among
            )
            found[f"{name}, {among}"] = {"pairs": float(len(np.unique(wanted.rows)))}
            if (name, among) == ("plain", _AMONG[-1]):
                taught = wanted
    found["annotated"] = {"pairs": float(table.annotated.sum())}
    rows = PairInputs(
        labels=inputs.labels[taught.rows],
        numbers=inputs.numbers[taught.rows],
        shares=inputs.shares[taught.rows],
    )
    for number, network in enumerate(model.predicate):
        prefer(network, rows, taught, seed=seed * 1009 + number)
    found |= _judged(model, data, "after")
    write_json(kept, found)
    print(seed, found, file=sys.stderr, flush=True)
    return found


def _told(model: NetworkModel, table: PairTable, inputs: PairInputs) -> NDArray[np.float64]:
    """Return log-probabilities of the predicates of annotated pairs; 0 in other rows."""
    named = table.annotated
    some = PairInputs(
        labels=inputs.labels[named], numbers=inputs.numbers[named], shares=inputs.shares[named]
    )
    members = [outputs(one, some).softmax(dim=1) for one in model.predicate]
    scores = np.zeros(table.said.shape)
    scores[named] = torch.stack(members).mean(dim=0).log().double().numpy()
    return scores


def _judged(model: NetworkModel, data: Vrd, when: str) -> Figures:
    found = {}
    for name, weighting in _WAYS.items():
        told = figures_of(rank_relations(model, data.judged, weighting=weighting)).metrics
        found[f"{name} {when}"] = {key: told[key] for key in _KEYS}
    return found


def page(result: RunResult) -> str:
    """Return the page of a result; every figure comes from it."""
    pairs, ways = result.by["pairs"], result.by["way"]
    annotated = pairs["annotated"]["n"]
    gains = {name: gained(result, f"{name} after", f"{name} before") for name in _WAYS}
    wins = gains["balanced"]["mean_recall_at_50"] >= 0.01
    lines = [
        "# Preferring what is annotated to what is refuted (SENTINEL)\n",
        (
            f"Written by `{result.command}`, commit {result.commit}, {result.date}, "
            f"{result.machine.cores} cores, no GPU, {result.seconds:.0f} s. VRD, PredCls, judged "
            f"on the held-out tenth of train ({ways['plain before']['n']} seeds); test was "
            "not read.\n"
        ),
        (
            f"Of {annotated:,} annotated pairs of train, so many have among their first guesses "
            "by the default networks a predicate that the boxes rule out and that the counts know "
            "not to join the two classes (20 triplets or more, under 0.1 % of them), mean over "
            "seeds:\n"
        ),
        "| guesses ranked | first 3 | first 5 | first 10 |",
        "|---|---|---|---|",
        *(
            f"| {name} | "
            + " | ".join(f"{pairs[f'{name}, {among}']['n']:,}" for among in _AMONG)
            + " |"
            for name in _WAYS
        ),
        (
            "\nOne pass of the preference loss (beta 0.1) over the pairs of the last column of the "
            "first row, each network against itself before; ± the standard error over seeds, a "
            "gain in bold is beyond two of them. Per cent.\n"
        ),
        "| guesses ranked | R@50 before | after | gain | mR@50 before | after | gain |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {name} | "
            + " | ".join(
                cell
                for key in _KEYS
                for cell in (
                    per_cent(ways[f"{name} before"], key),
                    per_cent(ways[f"{name} after"], key),
                    per_cent(gains[name], key, signed=True),
                )
            )
            + " |"
            for name in _WAYS
        ),
        "\nRule: it is used if it wins a point of mR@50. It "
        + ("does." if wins else "does not, so no learner uses it: `scenes.relations.preference`."),
    ]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = parser_of(__doc__, seeds=3)
    parser.add_argument("--work", type=Path, required=True, help="keeps what was measured")
    given = parser.parse_args(argv)
    clock = Measurement.start()
    data = Vrd.read(given.vrd, valid=True)
    given.valid = False  # judged on the held-out tenth always: that is what the page says
    encoder = packaged_text_encoder(given.work)
    runs = [measure(data, encoder, given.work, seed) for seed in range(given.seeds)]
    by: dict[str, dict[str, dict[str, float]]] = {"run": {}, "way": {}, "pairs": {}}
    for name in runs[0]:
        of = [run[name] for run in runs]
        if "pairs" in of[0]:
            by["pairs"][name] = {"n": round(float(np.mean([one["pairs"] for one in of])))}
            continue
        by["way"][name] = {"n": given.seeds, **seeded(of)}
        for seed, one in enumerate(of):
            by["run"][f"{name} seed {seed}"] = {"n": len(data.judged), **one}
    result = measured(
        clock,
        data,
        command=f"python -m bench.scenes_preference VRD --work WORK --seeds {given.seeds}",
        protocol="predcls",
        seeds=range(given.seeds),
        n=len(data.judged),
        metrics={},
        by=by,
    )
    keep(result, page(result), "scenes-preference", given)
    return 0


if __name__ == "__main__":
    sys.exit(main())
