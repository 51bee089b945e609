"""Are the probabilities of answers right? Calibration of answers on a graph folder.

Question: how far are probabilities from what comes true, before and after calibration, over the ten
best likely answers of each query? The maps are the model's own, which training fitted on sampled
validation queries; test queries (``test-queries.jsonl.gz`` of the folder, or sampled ones) are
judged. Command: ``python -m bench.answer_calibration FOLDER --model DIR`` with a model that ``umbra
train FOLDER`` made; about ten minutes on one core for NELL995. Writes ``answer-calibration.json``,
``.md`` and ``.svg``; with ``--sampled`` their names end in ``-sampled``.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.calibration_plot import RiskBand, draw, risk_band
from evaluation import (
    Measurement,
    RunResult,
    ece,
    reliability,
)
from kg.files import sha256_of_file
from kg.graph_folder import GraphFolder, load_graph_folder
from kg.progress import Progress
from kg.snapshot import Snapshot
from reasoning.answer_calibration import AnswerCalibration
from reasoning.folder_model import load_folder_model
from reasoning.judged_answers import JudgedAnswers, judged_answers, validation_queries
from reasoning.protocols import Answerer
from reasoning.query import structure_name
from reasoning.query_files import read_query_file
from reasoning.sampling import QuerySet
from reasoning.structures import STRUCTURES

__all__ = ["main", "page", "result_of"]

EDGES = "1p"
"""Queries of one edge: their answers are the new tails of a head and a relation."""

Judged = Sequence[JudgedAnswers]


def said_and_true(
    calibration: AnswerCalibration | None, judged: Judged
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """Return the probability, the outcome and the query's number of each answer."""
    said = [
        one.scores if calibration is None else calibration.probabilities(one.query, one.scores)
        for one in judged
    ]
    number = np.repeat(np.arange(len(judged)), [len(one.scores) for one in judged])
    return np.concatenate(said), np.concatenate([one.outcomes for one in judged]), number


def figures(calibration: AnswerCalibration, judged: Judged) -> dict[str, float]:
    """Return calibration errors of scores and of probabilities over some answers."""
    said, true, _ = said_and_true(calibration, judged)
    raw, _, _ = said_and_true(None, judged)
    return {
        "n": len(judged),
        "ece": ece(said, true),
        "ece_of_scores": ece(raw, true),
        "share_true": float(true.mean()),
    }


def test_queries(
    graph: GraphFolder, limit: int, edges: int, seed: int, *, sampled: bool
) -> list[QuerySet]:
    """Return queries that need a test edge: up to `edges` of one, `limit` of each other kind."""
    path = graph.path / "test-queries.jsonl.gz"
    if sampled or not path.is_file():
        return validation_queries(graph.train_valid, graph.full, limit, seed=seed + 1)
    generator = np.random.default_rng(seed)
    chosen = []
    for queries in read_query_file(path, graph):
        most = edges if queries.structure == STRUCTURES[EDGES] else limit
        rows = generator.permutation(len(queries))[:most]
        chosen.append(
            replace(
                queries,
                anchors=queries.anchors[rows],
                relations=queries.relations[rows],
                easy=tuple(queries.easy[row] for row in rows),
                hard=tuple(queries.hard[row] for row in rows),
            )
        )
    return chosen


def result_of(
    answerer: Answerer,
    calibration: AnswerCalibration,
    asked: Sequence[QuerySet],
    known: Snapshot,
    *,
    limit: int,
    looks: int,
    seed: int,
    command: str,
    clock: Measurement,
    inputs: dict[str, str],
) -> tuple[RunResult, RiskBand, Sequence[object]]:
    """Judge the answers of queries.

    Args:
        answerer: Gives scores.
        calibration: Makes probabilities of them.
        asked: Queries with held-out answers.
        known: The graph of the answerer.
        limit: Queries of one edge beyond this count for edges, not for answers of all kinds.
        looks: How often these test queries had been judged before.
        seed: Of the bootstrap, and of which queries of one edge count for answers.
        command: That is run.
        clock: Started before.
        inputs: Hashes.

    Returns:
        The figures, the risk–coverage curve, and the reliability table of the answers.
    """
    judged = judged_answers(answerer, asked, known, progress=_printed("test"))
    kinds: dict[str, list[JudgedAnswers]] = {}
    for one in judged:
        kinds.setdefault(structure_name(one.query) or "other", []).append(one)
    generator = np.random.default_rng(seed)
    everything = [
        kind[row] for kind in kinds.values() for row in generator.permutation(len(kind))[:limit]
    ]
    said, true, number = said_and_true(calibration, everything)
    band = risk_band(said, true, number, seed=seed)
    overall = figures(calibration, everything)
    metrics = {
        "ece": overall["ece"],
        "ece_of_scores": overall["ece_of_scores"],
        "risk_within_band": band.share_within,
        "risk_promised": float(band.promised[-1]),
        "risk_observed": float(band.risk[-1]),
    }
    if EDGES in kinds:
        metrics["ece_of_edges"] = figures(calibration, kinds[EDGES])["ece"]
    result = RunResult.measured(
        clock,
        command=command,
        seed=seed,
        protocol="answer-calibration",
        inputs=inputs,
        n=len(everything),
        metrics=metrics,
        by={
            "part": {"all": overall},
            "earlier": {"looks": {"n": looks}},
            "structure": {name: figures(calibration, kinds[name]) for name in sorted(kinds)},
        },
    )
    return result, band, reliability(said, true)


def _printed(name: str) -> Progress:
    def show(done: int, total: int) -> None:
        print(f"{name}: {done} of {total} queries", file=sys.stderr)

    return show


def page(result: RunResult, stem: str = "answer-calibration") -> str:
    """Return the page of a result; every figure comes from it."""
    metrics, looks = result.metrics, result.by["earlier"]["looks"]["n"]
    lines = [
        "# Calibration of answers\n",
        (
            f"Written by `{result.command}`, commit {result.commit}, {result.date}, "
            f"{result.machine.cores} cores, {result.machine.memory_gb:.0f} GB, no GPU, "
            f"seed {result.seed}.\n"
        ),
        (
            "Population: the ten best likely answers of each test query, known edges are those of "
            "training. ECE over 15 bins of equal mass. The maps are the model's, fitted by its "
            "training on sampled validation queries. "
            f"Answers **{metrics['ece']:.3f}** (scores taken for probabilities: "
            f"{metrics['ece_of_scores']:.3f}), edges (1p) "
            f"**{metrics.get('ece_of_edges', 0.0):.3f}**.\n"
        ),
        (
            f"Calibration on test queries had been looked at {looks} times "
            "before this run; the way to fit the maps was chosen on validation queries alone.\n"
            if looks
            else "Calibration on these test queries had not been looked at before this run.\n"
        ),
        (
            f"Risk that the probabilities promise lies within the 95 % band of the observed risk "
            f"(bootstrap over queries) at {metrics['risk_within_band']:.0%} of the coverages. "
            f"With all answers kept, {metrics['risk_promised']:.1%} are promised to be wrong and "
            f"{metrics['risk_observed']:.1%} are. The band holds the chance of the draw of "
            "queries; it does not hold how validation edges, which the maps are fitted on, differ "
            "from test edges, nor what queries share, since many meet the same rows.\n"
        ),
        f"![Reliability and risk–coverage]({stem}.svg)\n",
        "| answers of | queries | share true | ECE | ECE of scores |",
        "|---|---|---|---|---|",
    ]
    rows = {**result.by["part"], **result.by["structure"]}
    for name, part in rows.items():
        cells = (part["share_true"], part["ece"], part["ece_of_scores"])
        lines.append(
            f"| {name} | {part['n']:,} | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |"
        )
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="train/valid/test.tsv.gz")
    parser.add_argument("--model", type=Path, required=True, help="made by umbra train FOLDER")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--count", type=int, default=200, help="queries a structure")
    parser.add_argument(
        "--sampled",
        action="store_true",
        help="judge queries drawn as training drew its own, not those of the folder",
    )
    parser.add_argument("--edges", type=int, default=2000, help="queries of one edge")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--looks", type=int, default=0, help="earlier runs on test queries")
    given = parser.parse_args(argv)
    clock = Measurement.start()
    graph = load_graph_folder(given.folder)
    model = load_folder_model(given.model, graph.train)
    if model.calibration is None:
        parser.error(f"the model in {given.model} has no calibration of answers")
    asked = test_queries(graph, given.count, given.edges, given.seed, sampled=given.sampled)
    inputs = {"graph": graph.full.hash, "model": model.fingerprint}
    queries = graph.path / "test-queries.jsonl.gz"
    if queries.is_file() and not given.sampled:
        inputs["queries"] = sha256_of_file(queries)
    words = sys.argv[1:] if argv is None else argv
    result, band, table = result_of(
        replace(model, calibration=None).answerer(),
        model.calibration,
        asked,
        graph.train,
        limit=given.count,
        looks=given.looks,
        seed=given.seed,
        command=f"python -m bench.answer_calibration {shlex.join(words)}",
        clock=clock,
        inputs=inputs,
    )
    stem = "answer-calibration-sampled" if given.sampled else "answer-calibration"
    result.save(given.out / f"{stem}.json")
    (given.out / f"{stem}.md").write_text(page(result, stem), encoding="utf-8")
    draw(table, band, given.out / f"{stem}.svg")
    print(page(result, stem))
    return 0


if __name__ == "__main__":
    sys.exit(main())
