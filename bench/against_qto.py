"""The default answerer against plain QTO with the same embedding, on the same queries, in one run.

Question: what do path rules, calibration and first-order negation add to QTO (`bench.qto`)? Queries
are those of a file, or drawn from the folder by BetaE's protocol; both methods know the training
edges only. QTO's factor of negation, 3 or 6, is chosen on validation queries that the bench draws;
ours has its settings from the model. Difference: ours minus QTO's, paired bootstrap over queries.
Command: ``python -m bench.against_qto FOLDER --model DIR`` with what ``umbra train FOLDER`` made;
`--queries FILE` takes published ones. A run that was stopped goes on where it was. Writes
``against-qto-NAME.md`` and a result file for each method.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Literal, cast

from bench.against_qto_page import page
from bench.qto import NEGATION_SCALES, QtoAnswerer, QtoConfig
from evaluation import (
    Measurement,
    RunResult,
)
from evaluation.units import Units
from kg.files import atomic_write, sha256_of_file, sha256_of_text
from kg.graph_folder import GraphFolder, load_graph_folder
from kg.ledger import Ledger
from kg.progress import Progress
from reasoning.benchmark_sampling import BenchmarkSample, sample_benchmark
from reasoning.evaluating import Figures, RankedQueries, evaluate_queries, figures_of
from reasoning.evaluating.job import evaluate_as_job
from reasoning.evaluating.published import published_figures
from reasoning.evaluating.ranking import BatchConfig
from reasoning.folder_model import FolderModel, load_folder_model
from reasoning.hardness import hardness_of, held_out_edges
from reasoning.id_sets import directed_edges
from reasoning.protocols import ScoringAnswerer
from reasoning.query_files import read_queries
from reasoning.query_writing import write_query_file
from reasoning.sampling import QuerySet
from reasoning.structures import STRUCTURES

__all__ = ["METHODS", "Contest", "Results", "best_scale", "main", "results"]

Method = Literal["qto", "ours"]
METHODS: tuple[Method, ...] = ("qto", "ours")
NAMES = {"qto": "plain QTO", "ours": "Umbra"}
ROOT = Path(__file__).resolve().parents[1]
_BATCH = BatchConfig(queries=50)
Results = dict[Method, tuple[RunResult, Units]]
_NEGATED = ("2in", "3in", "inp", "pin", "pni")


@dataclass(frozen=True, kw_only=True)
class Contest:
    """One run of both methods; also what a helping process opens.

    Attributes:
        folder: Graph folder.
        model: Folder of `umbra train FOLDER --out`.
        queries: Query file.
        limit: Most queries of each structure; all if None.
        work: Where finished batches and rows are kept.
        negation_scale: QTO's s.
    """

    folder: Path
    model: Path
    queries: Path
    limit: int | None
    work: Path
    negation_scale: float = NEGATION_SCALES[0]

    @cached_property
    def graph(self) -> GraphFolder:
        """The graph."""
        return load_graph_folder(self.folder)

    @cached_property
    def trained(self) -> FolderModel:
        """The model."""
        return load_folder_model(self.model, self.graph.train)

    @cached_property
    def sets(self) -> Sequence[QuerySet]:
        """The queries."""
        return read_queries(self.queries, self.graph, limit=self.limit).sets

    def answerer(self, method: Method) -> ScoringAnswerer:
        """Return a method's answerer on the training edges."""
        rows = self.work / "rows"
        if method == "ours":
            return self.trained.answerer(row_folder=rows)
        config = QtoConfig(negation_scale=self.negation_scale)
        embedding = self.trained.predictor.models[0]
        qto = QtoAnswerer(self.graph.train, embedding, config, row_folder=rows)
        return cast("ScoringAnswerer", qto)  # evaluation asks for scores only

    def inputs(self, method: Method) -> dict[str, str]:
        """Return the hashes of what a method's ranks depend on."""
        setting = f"qto {self.trained.predictor.models[0].fingerprint} {self.negation_scale}"
        model = self.trained.fingerprint if method == "ours" else sha256_of_text(setting)
        return {
            "queries": sha256_of_file(self.queries),
            "graph": self.graph.full.hash,
            "model": model,
        }

    def ranked(self, method: Method, progress: Progress) -> tuple[RankedQueries, ...]:
        """Rank all hard answers, with their hardness; processes share the work."""
        full = directed_edges(self.graph.full)
        held_out = held_out_edges(full, directed_edges(self.graph.train))
        with Ledger(self.work / f"{method}.sqlite") as ledger:
            return evaluate_as_job(
                self.answerer(method),
                self.sets,
                self.graph.full,
                ledger=ledger,
                inputs={**self.inputs(method), "limit": str(self.limit)},
                hardness=[hardness_of(queries, full, held_out) for queries in self.sets],
                config=_BATCH,
                progress=progress,
            )


def help_contest(contest: Contest) -> None:
    """Do batches of both methods that another process leads, until none is left."""
    for method in METHODS:
        contest.ranked(method, lambda _done, _total: None)


def best_scale(contest: Contest, *, count: int, seed: int) -> float:
    """Return the s of QTO with the best mean MRR over validation queries with negation."""
    sample = BenchmarkSample(split="valid", counts=dict.fromkeys(_NEGATED, count), seed=seed)
    sets = sample_benchmark(contest.graph, sample)
    found = {}
    for scale in NEGATION_SCALES:
        answerer = replace(contest, negation_scale=scale).answerer("qto")
        ranked = evaluate_queries(answerer, sets, contest.graph.full, config=_BATCH)
        found[scale] = figures_of(ranked).metrics["mrr"]
        sys.stderr.write(f"QTO, s = {scale:g}: {100 * found[scale]:.2f} on validation\n")
    return max(found, key=lambda scale: found[scale])


def results(contest: Contest, *, processes: int, command: str, seed: int) -> Results:
    """Run both methods."""
    context = get_context("spawn")
    helpers = [
        context.Process(target=help_contest, args=(contest,), daemon=True)
        for _ in range(processes - 1)
    ]
    for helper in helpers:
        helper.start()
    found: Results = {}
    for method in METHODS:
        clock = Measurement.start()
        figures: Figures = figures_of(contest.ranked(method, _said(NAMES[method])))
        result = RunResult.measured(
            clock,
            command=command,
            seed=seed,
            protocol="betae-test",
            inputs=contest.inputs(method),
            n=figures.n,
            metrics=figures.metrics,
            by=figures.by,
        )
        found[method] = result, figures.units
    for helper in helpers:
        helper.join()
    return found


def _said(name: str) -> Progress:
    def report(done: int, total: int) -> None:
        sys.stderr.write(f"{name}: {done:,} of {total:,} queries\n")

    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns an exit status."""
    given = _parser().parse_args(arguments)
    words = sys.argv[1:] if arguments is None else arguments
    name = given.folder.name
    contest = Contest(
        folder=given.folder,
        model=given.model,
        queries=given.queries or given.work / f"{name}-seed{given.seed}.jsonl.gz",
        limit=given.limit,
        work=given.work,
    )
    given.work.mkdir(parents=True, exist_ok=True)
    sampled = f"those of {contest.queries.name}"
    if given.queries is None:
        sampled = f"drawn with seed {given.seed}"
        _draw(contest, count=given.count, seed=given.seed)
    scale = best_scale(contest, count=given.valid_count, seed=given.seed)
    contest = replace(contest, negation_scale=scale)
    command = f"python -m bench.against_qto {shlex.join(words)}"
    found = results(contest, processes=given.processes, command=command, seed=given.seed)
    for method, (result, _) in found.items():
        result.save(given.out / f"against-qto-{name}-{method}.json")
    title, _ = published_figures(contest.graph)
    text = page(
        found["qto"],
        found["ours"],
        title=title or name,
        queries=sampled,
        negation_scale=scale,
    )
    with atomic_write(given.out / f"against-qto-{name}.md") as file:
        file.write(text.encode())
    sys.stdout.write(text)
    return 0


def _draw(contest: Contest, *, count: int, seed: int) -> None:
    counts = dict.fromkeys(STRUCTURES, count)
    sets = sample_benchmark(contest.graph, BenchmarkSample(split="test", counts=counts, seed=seed))
    origin = {"seed": seed, "split": "test", "asked": counts}
    write_query_file(contest.queries, sets, contest.graph, origin)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.against_qto", description=__doc__)
    parser.add_argument("folder", type=Path, help="graph folder")
    parser.add_argument("--model", type=Path, required=True, help="what `umbra train` made of it")
    parser.add_argument("--queries", type=Path, help="query file; drawn from the folder by default")
    parser.add_argument("--count", type=int, default=500, help="queries drawn of each structure")
    parser.add_argument("--limit", type=int, help="most queries of each structure of the file")
    parser.add_argument("--valid-count", type=int, default=50, help="to choose QTO's factor by")
    parser.add_argument("--work", type=Path, default=Path("build") / "against-qto")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
