"""Are the probabilities of answers right? Calibration of answers on a graph folder.

Question: how far are probabilities from what comes true, before and after calibration, over the ten
best likely answers of each query? The maps are the model's own, which training fitted on sampled
validation queries; test queries (``test-queries.jsonl.gz`` of the folder, or sampled ones) are
judged. Command: ``python -m bench.answer_calibration FOLDER --model DIR`` with a model that ``umbra
train FOLDER`` made; about ten minutes on one core for NELL995, and some twenty more for the band:
the validation queries of training are asked again, to fit the maps again on weighted ones. Writes
``answer-calibration.json``, ``.md`` and ``.svg``; with ``--sampled`` their names end in
``-sampled``; with ``--known train+valid`` they have ``-valid-known``, with ``--deal SEED``
``-dealt``: validation and test edges are dealt at random, and mix and maps fitted again.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.answer_calibration_page import DEALT, page
from bench.calibration_plot import draw
from bench.held_out_queries import EDGES, dealt_anew, refitted, test_queries
from evaluation import (
    Measurement,
    RiskBand,
    RunResult,
    Sample,
    ece,
    reliability,
    risk_band,
)
from kg.errors import InputError
from kg.files import sha256_of_file
from kg.graph_folder import GraphFolder, load_graph_folder
from kg.progress import Progress
from kg.snapshot import Snapshot
from reasoning.answer_calibration import AnswerCalibration
from reasoning.answer_calibration_fitting import (
    ValidationAnswers,
    half_of_validation,
    validation_answers,
)
from reasoning.folder_model import FolderModel, load_folder_model
from reasoning.hinges import hinges
from reasoning.judged_answers import JudgedAnswers, judged_answers
from reasoning.query import structure_name
from reasoning.sampling import QuerySet
from reasoning.symbolic.answerer import SymbolicAnswerer

__all__ = ["main", "result_of"]

Judged = Sequence[JudgedAnswers]


def said_and_true(
    calibration: AnswerCalibration | None, judged: Judged
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the probability and the outcome of each answer."""
    said = [
        one.scores if calibration is None else calibration.probabilities(one.query, one.scores)
        for one in judged
    ]
    return np.concatenate(said), np.concatenate([one.outcomes for one in judged])


def units_of(judged: Judged) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each answer the number of its query, and of the edge that it hangs on.

    An answer that hangs on no edge is a unit of its own.
    """
    query = np.repeat(np.arange(len(judged)), [len(one.scores) for one in judged])
    numbers: dict[object, int] = {}
    hinge = [
        numbers.setdefault((row, place) if edge is None else edge, len(numbers))
        for row, one in enumerate(judged)
        for place, edge in enumerate(one.hinges or (None,) * len(one.scores))
    ]
    return query, np.array(hinge, dtype=np.int64)


def _fitted(validation: ValidationAnswers) -> AnswerCalibration:
    found = validation.calibration()
    if found is None:
        raise InputError("too few validation answers to fit maps on")
    return found


def sample_of(validation: ValidationAnswers, judged: Judged) -> Sample:
    """Return what the maps were fitted on, so that they can be fitted on it again."""

    def refitted(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return said_and_true(_fitted(validation.counting(weights)), judged)[0]

    return Sample(units=units_of(validation.examples), refitted=refitted)


def figures(calibration: AnswerCalibration, judged: Judged) -> dict[str, float]:
    """Return calibration errors of scores and of probabilities over some answers."""
    said, true = said_and_true(calibration, judged)
    raw, _ = said_and_true(None, judged)
    return {
        "n": len(judged),
        "ece": ece(said, true),
        "ece_of_scores": ece(raw, true),
        "share_true": float(true.mean()),
    }


def result_of(
    answerer: SymbolicAnswerer,
    calibration: AnswerCalibration,
    asked: Sequence[QuerySet],
    known: Snapshot,
    *,
    protocol: str,
    validation: ValidationAnswers | None,
    limit: int,
    refits: int,
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
        protocol: Says which edges are known (`bench.answer_calibration_page.KNOWN`).
        validation: What the maps were fitted on; None if the band takes them as they are.
        limit: Queries of one edge beyond this count for edges, not for answers of all kinds.
        refits: How often the maps are fitted again for each kind of unit.
        looks: How often these test queries had been judged before.
        seed: Of the weights of refits, and of which queries of one edge count for answers.
        command: That is run.
        clock: Started before.
        inputs: Hashes.

    Returns:
        The figures, the risk–coverage curve, and the reliability table of the answers.
    """
    judged = judged_answers(
        answerer, asked, known, progress=_printed("test"), hinges_of=partial(hinges, answerer)
    )
    kinds: dict[str, list[JudgedAnswers]] = {}
    for one in judged:
        kinds.setdefault(structure_name(one.query) or "other", []).append(one)
    generator = np.random.default_rng(seed)
    everything = [
        kind[row] for kind in kinds.values() for row in generator.permutation(len(kind))[:limit]
    ]
    said, true = said_and_true(calibration, everything)
    units = units_of(everything)
    sample = None if validation is None else sample_of(validation, everything)
    band = risk_band(said, true, units, sample=sample, draws=refits, seed=seed)
    overall = figures(calibration, everything)
    metrics = {
        "ece": overall["ece"],
        "ece_of_scores": overall["ece_of_scores"],
        "risk_within_band": band.share_within,
        "risk_within_band_of_queries": risk_band(said, true, units[:1]).share_within,
        "risk_within_band_of_queries_and_edges": risk_band(said, true, units).share_within,
        "risk_promised": float(band.promised[-1]),
        "risk_observed": float(band.risk[-1]),
        "half_band": float(band.high[-1] - band.low[-1]) / 2,
    }
    if EDGES in kinds:
        metrics["ece_of_edges"] = figures(calibration, kinds[EDGES])["ece"]
    result = RunResult.measured(
        clock,
        command=command,
        seed=seed,
        protocol=protocol,
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


def _of_training(
    answerer: SymbolicAnswerer, graph: GraphFolder, model: FolderModel
) -> ValidationAnswers:
    """Judge again what training judged, with the edges that the answers hang on."""
    seed = int(model.manifest["plan"]["seed"])
    return validation_answers(
        answerer,
        graph.train,
        half_of_validation(graph, seed=seed),
        graph.train_valid,
        count=model.config.answer_queries,
        seed=seed,
        progress=_printed("validation"),
        hinges_of=partial(hinges, answerer),
    )


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
    parser.add_argument(
        "--known",
        choices=("train", "train+valid"),
        default="train",
        help="edges that the answerer may use: as published figures do, or as a user runs",
    )
    parser.add_argument(
        "--deal",
        type=int,
        metavar="SEED",
        help="deal validation and test edges anew, fit mix and maps again, sample the queries",
    )
    parser.add_argument("--edges", type=int, default=2000, help="queries of one edge")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--refits", type=int, default=60, help="of the maps for each kind of unit; 0 for none"
    )
    parser.add_argument("--looks", type=int, default=0, help="earlier runs on test queries")
    given = parser.parse_args(argv)
    clock = Measurement.start()
    graph = load_graph_folder(given.folder)
    model = load_folder_model(given.model, graph.train)
    calibration = model.calibration
    if calibration is None:
        parser.error(f"the model in {given.model} has no calibration of answers")
    sampled = given.sampled or given.deal is not None
    if given.deal is not None:
        graph = dealt_anew(graph, given.deal)
        model = refitted(model, graph, progress=_printed("mix"))
    asked = test_queries(graph, given.count, given.edges, given.seed, sampled=sampled)
    inputs = {"graph": graph.full.hash, "model": model.fingerprint}
    queries = graph.path / "test-queries.jsonl.gz"
    if queries.is_file() and not sampled:
        inputs["queries"] = sha256_of_file(queries)
    words = sys.argv[1:] if argv is None else argv
    plain, validation = replace(model, calibration=None), None
    if given.refits or given.deal is not None:
        validation = _of_training(plain.answerer(), graph, model)
    if given.deal is not None and validation is not None:
        calibration = _fitted(validation)
    known = graph.train if given.known == "train" else graph.train_valid
    base = "answer-calibration" + "-valid-known" * (given.known != "train")
    dealt = DEALT * (given.deal is not None)
    result, band, table = result_of(
        plain.answerer(known),
        calibration,
        asked,
        known,
        protocol=base + dealt,
        validation=validation if given.refits else None,
        limit=given.count,
        refits=given.refits,
        looks=given.looks,
        seed=given.seed,
        command=f"python -m bench.answer_calibration {shlex.join(words)}",
        clock=clock,
        inputs=inputs,
    )
    stem = base + "-sampled" * given.sampled + dealt
    result.save(given.out / f"{stem}.json")
    (given.out / f"{stem}.md").write_text(page(result, stem), encoding="utf-8")
    draw(table, band, given.out / f"{stem}.svg")
    print(page(result, stem))
    return 0


if __name__ == "__main__":
    sys.exit(main())
