"""Are the probabilities of answers right? Calibration of answers on a graph folder.

Question: how far are probabilities from what comes true, before and after calibration, over the ten
best likely answers of each query? Maps are fitted on one half of sampled validation queries and
checked on the other; the test queries (``test-queries.jsonl.gz`` of the folder, or sampled ones)
are judged once. Command: ``python -m bench.answer_calibration FOLDER --model DIR --out
docs/benchmarks`` with a model that ``umbra train FOLDER`` made; about ten minutes on one core for
NELL995. Writes ``answer-calibration.json``, ``.md`` and ``.svg``.
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
    current_commit,
    ece,
    peak_memory_mb,
    reliability,
    this_machine,
)
from kg.files import sha256_of_file
from kg.graph_folder import GraphFolder, load_graph_folder
from kg.progress import Progress
from reasoning.answer_calibration import AnswerCalibration, fit_answer_calibration
from reasoning.folder_model import load_folder_model
from reasoning.judged_answers import JudgedAnswers, judged_answers, validation_queries
from reasoning.protocols import Answerer
from reasoning.query import structure_name
from reasoning.query_files import read_query_file
from reasoning.sampling import QuerySet

__all__ = ["main", "page", "result_of"]

Judged = Sequence[JudgedAnswers]


def halves(judged: Judged, seed: int) -> tuple[Judged, Judged]:
    """Deal queries into two halves."""
    first = np.random.default_rng(seed).random(len(judged)) < 0.5
    return (
        [one for one, chosen in zip(judged, first, strict=True) if chosen],
        [one for one, chosen in zip(judged, first, strict=True) if not chosen],
    )


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


def test_queries(graph: GraphFolder, limit: int, seed: int) -> list[QuerySet]:
    """Return up to `limit` queries a structure that need a test edge."""
    path = graph.path / "test-queries.jsonl.gz"
    if not path.is_file():
        return validation_queries(graph.train_valid, graph.full, limit, seed=seed + 1)
    generator = np.random.default_rng(seed)
    chosen = []
    for queries in read_query_file(path, graph):
        rows = generator.permutation(len(queries))[:limit]
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
    graph: GraphFolder,
    answerer: Answerer,
    *,
    count: int,
    seed: int,
    command: str,
    clock: Measurement,
    inputs: dict[str, str],
) -> tuple[RunResult, RiskBand, Sequence[object]]:
    """Fit on one half of the validation queries and judge the rest.

    Returns:
        The figures, the risk–coverage curve, and the reliability table of the test answers.
    """
    valid = judged_answers(
        answerer,
        validation_queries(graph.train, graph.train_valid, count, seed=seed),
        graph.train,
        progress=_printed("validation"),
    )
    fitted_on, checked_on = halves(valid, seed)
    calibration = fit_answer_calibration(fitted_on)
    asked = test_queries(graph, count, seed)
    test = judged_answers(answerer, asked, graph.train, progress=_printed("test"))
    said, true, number = said_and_true(calibration, test)
    band = risk_band(said, true, number, seed=seed)
    by_structure = {}
    for name in sorted({structure_name(one.query) or "other" for one in test}):
        part = [one for one in test if (structure_name(one.query) or "other") == name]
        by_structure[name] = figures(calibration, part)
    of_edges = [one for one in test if structure_name(one.query) == "1p"]
    everything = figures(calibration, test)
    result = RunResult(
        command=command,
        commit=current_commit(),
        date=clock.date,
        machine=this_machine(),
        seed=seed,
        protocol="answer-calibration",
        inputs=inputs,
        n=len(test),
        seconds=clock.seconds,
        peak_memory_mb=peak_memory_mb(),
        metrics={
            "ece": everything["ece"],
            "ece_of_scores": everything["ece_of_scores"],
            "ece_of_edges": figures(calibration, of_edges)["ece"] if of_edges else 0.0,
            "ece_on_valid": figures(calibration, checked_on)["ece"],
            "risk_within_band": band.share_within,
        },
        by={
            "part": {
                "valid fitted on": figures(calibration, fitted_on),
                "valid checked on": figures(calibration, checked_on),
                "test": everything,
            },
            "structure": by_structure,
        },
    )
    return result, band, reliability(said, true)


def _printed(name: str) -> Progress:
    def show(done: int, total: int) -> None:
        print(f"{name}: {done} of {total} queries", file=sys.stderr)

    return show


def page(result: RunResult) -> str:
    """Return the page of a result; every figure comes from it."""
    metrics = result.metrics
    lines = [
        "# Calibration of answers\n",
        (
            f"Written by `{result.command}`, commit {result.commit}, {result.date}, "
            f"{result.machine.cores} cores, {result.machine.memory_gb:.0f} GB, no GPU, "
            f"seed {result.seed}.\n"
        ),
        (
            "Population: the ten best likely answers of each query, known edges are those of "
            "training. ECE over 15 bins of equal mass. Maps were fitted on one half of sampled "
            f"validation queries. On test: answers **{metrics['ece']:.3f}** (scores taken for "
            f"probabilities: {metrics['ece_of_scores']:.3f}), edges (1p) "
            f"**{metrics['ece_of_edges']:.3f}**.\n"
        ),
        (
            f"Risk that the probabilities promise lies within the 95 % band of the observed risk "
            f"(bootstrap over queries) at {metrics['risk_within_band']:.0%} of the coverages.\n"
        ),
        "![Reliability and risk–coverage](answer-calibration.svg)\n",
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
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(argv)
    clock = Measurement.start()
    graph = load_graph_folder(given.folder)
    model = load_folder_model(given.model, graph.train)
    options = ["FOLDER", "--model", "DIR", "--count", str(given.count), "--seed", str(given.seed)]
    inputs = {"graph": graph.full.hash, "model": model.fingerprint}
    queries = graph.path / "test-queries.jsonl.gz"
    if queries.is_file():
        inputs["queries"] = sha256_of_file(queries)
    result, band, table = result_of(
        graph,
        replace(model, calibration=None).answerer(),
        count=given.count,
        seed=given.seed,
        command=f"python -m bench.answer_calibration {shlex.join(options)}",
        clock=clock,
        inputs=inputs,
    )
    result.save(given.out / "answer-calibration.json")
    (given.out / "answer-calibration.md").write_text(page(result), encoding="utf-8")
    draw(table, band, given.out / "answer-calibration.svg")
    print(page(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
