"""How fast symbolic answering is, beside the dense formulation, in one run.

Question: how many queries a second, cold (no predicted row known) and warm, how long one takes, at
which MRR and memory? A stream of distinct queries of all structures comes in batches, as commands
ask them. Warm means: each was asked before. Symbolic answering then opens its rows from disk, as
the next process does; all dense rows of 63,361 entities and 400 directed relations are 6.4 TB, so
that the rival keeps as many of them as fit the same limit of memory. It is asked each query again
before the next comes, when all that it could keep is still there.

Rival: `bench.dense_answering` over the same link predictor. Both rank by the same formulas, so that
MRR differs only by what limits leave out: once by those of the model's settings, once by those of
QTO (the best way, 1 − x). The rival follows every entity of a set, which is the formulation, and
keeps QTO's threshold for edges, which is above ours and saves it many rows; helped, it has our
threshold and follows as many entities as we do, which is no part of the formulation.
Command: ``python -m bench.answering_speed FOLDER --model DIR --out JSON``, with a graph folder and
a model that ``umbra train FOLDER`` made. Queries are sampled on training and validation edges.

Each method runs in a process of its own, so that peak memory is its own. `--quick` takes few
queries; without `--model` rows come from random vectors, which measures time and memory only.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.answering_speed_page import ORDER, page
from bench.dense_answering import DenseAnswerer, DenseConfig
from bench.random_links import RandomLinks
from evaluation import current_commit, peak_memory_mb, this_machine
from evaluation.ranks import query_ranks
from kg.files import write_json
from kg.graph_folder import GraphFolder, load_graph_folder
from reasoning.folder_model import load_folder_model
from reasoning.id_sets import directed_edges
from reasoning.protocols import LinkPredictor
from reasoning.query import Query
from reasoning.sampling import QuerySet, sample_queries
from reasoning.structures import STRUCTURES
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.config import SymbolicConfig

__all__ = ["main", "measure"]

K = 10
"""Answers of a query, where it is asked as a user asks."""


def measure(
    method: str,
    graph: GraphFolder,
    predictor: LinkPredictor,
    config: SymbolicConfig,
    *,
    count: int,
    seed: int,
) -> dict[str, Any]:
    """Time one method on sampled validation queries of every structure.

    Args:
        method: One of `ORDER`.
        graph: The graph; the training edges are known.
        predictor: Gives rows.
        config: Of symbolic answering.
        count: Queries a structure.
        seed: Of the sample, and of the order of the stream.

    Returns:
        Figures as plain values: milliseconds, queries a second, MRR as a fraction, megabytes.
    """
    sets = _sampled(graph, count, seed)
    places = [(name, row) for name, queries in sets.items() for row in range(len(queries))]
    order = [places[place] for place in np.random.default_rng(seed).permutation(len(places))]
    stream = [_Asked(name, sets[name], row, graph) for name, row in order]
    start = peak_memory_mb()
    if method.startswith("dense"):
        cold, warm = _dense(
            DenseAnswerer(graph.train, predictor, _formulas(method, config)), stream
        )
    else:
        used = _published(config) if method == "sparse, QTO" else config
        with TemporaryDirectory() as folder:
            rows = Path(folder)
            opened = partial(SymbolicAnswerer, graph.train, predictor, used, row_folder=rows)
            cold, warm = _sparse(opened, stream, config.batch)
    by = {name: _structure([one for one in stream if one.structure == name]) for name in sets}
    return {
        "queries": len(stream),
        "structures": by,
        "mrr": float(np.mean([one["mrr"] for one in by.values()])),
        "cold_queries_per_second": len(stream) / cold.wall,
        "cold_cpu_queries_per_second": len(stream) / cold.processor,
        "warm_queries_per_second": len(stream) / warm.wall,
        "warm_cpu_queries_per_second": len(stream) / warm.processor,
        "memory_before_mb": start,
        "peak_memory_mb": peak_memory_mb(),
    }


def _sampled(graph: GraphFolder, count: int, seed: int) -> dict[str, QuerySet]:
    """Return queries of every structure that the graph has."""
    known, full = directed_edges(graph.train), directed_edges(graph.train_valid)
    draw = np.random.default_rng
    sampled = {
        name: sample_queries(structure, count, full, generator=draw(seed), known=known)
        for name, structure in STRUCTURES.items()
    }
    return {name: queries for name, queries in sampled.items() if len(queries)}


def _published(config: SymbolicConfig) -> SymbolicConfig:
    """Return our limits with QTO's formulas."""
    return replace(
        config,
        epsilon=DenseConfig().epsilon,
        benefit_of_doubt=0.0,
        noisy_or=False,
        negation_power=1.0,
    )


def _formulas(method: str, config: SymbolicConfig) -> DenseConfig:
    if method == "dense, QTO":
        return DenseConfig.like(_published(config))
    if method == "dense, helped":
        return DenseConfig.like(config, max_support=config.max_support)
    coarser = max(config.epsilon, DenseConfig().epsilon)
    return replace(DenseConfig.like(config), epsilon=coarser)


@dataclass(slots=True)
class _Asked:
    """One query of the stream, and what came of it."""

    structure: str
    queries: QuerySet
    row: int
    graph: GraphFolder
    reciprocal: float = 0.0
    alone: _Spent = field(default_factory=lambda: _Spent())

    @property
    def tree(self) -> Query:
        return self.queries.tree(self.row, self.graph.train)

    def judge(self, scores: NDArray[np.float32]) -> None:
        hard, easy = self.queries.hard[self.row], self.queries.easy[self.row]
        self.reciprocal = float(np.mean(1.0 / query_ranks(scores, hard, easy).realistic))


def _sparse(
    opened: Callable[[], SymbolicAnswerer], stream: Sequence[_Asked], batch: int
) -> tuple[_Spent, _Spent]:
    """Ask for all scores in batches, then for answers over rows from disk, then one by one."""
    answerer = opened()
    batches = [stream[low : low + batch] for low in range(0, len(stream), batch)]
    cold, warm = _Spent(), _Spent()
    for asked in batches:
        spent, scores = _timed(partial(answerer.scores, [one.tree for one in asked]))
        cold += spent
        for one, row in zip(asked, scores, strict=True):
            one.judge(row)
    answerer.answer([one.tree for one in stream], K)
    answerer.flush()
    answerer = opened()
    for asked in batches:
        warm += _timed(partial(answerer.answer, [one.tree for one in asked], K))[0]
    for one in stream:
        answerer.answer([one.tree], K)
        one.alone = _timed(partial(answerer.answer, [one.tree], K))[0]
    return cold, warm


def _dense(answerer: DenseAnswerer, stream: Sequence[_Asked]) -> tuple[_Spent, _Spent]:
    """Ask for all scores, and at once again for the best, while all rows that fit are kept."""
    cold, warm = _Spent(), _Spent()
    for one in stream:
        tree = one.tree
        spent, [scores] = _timed(partial(answerer.scores, [tree]))
        cold += spent
        one.judge(scores)
        one.alone = _timed(partial(_best, answerer, tree))[0]
        warm += one.alone
    return cold, warm


def _best(answerer: DenseAnswerer, tree: Query) -> NDArray[np.int64]:
    [scores] = answerer.scores([tree])
    return np.argpartition(-scores, K)[:K]


def _structure(asked: Sequence[_Asked]) -> dict[str, Any]:
    walls = [1000.0 * one.alone.wall for one in asked]
    reciprocal = [one.reciprocal for one in asked]
    return {
        "n": len(asked),
        "mrr": float(np.mean(reciprocal)),
        "reciprocal": reciprocal,
        "warm_ms": float(np.mean(walls)),
        "warm_cpu_ms": 1000.0 * float(np.mean([one.alone.processor for one in asked])),
        "warm_p50_ms": float(np.quantile(walls, 0.5)),
        "warm_p99_ms": float(np.quantile(walls, 0.99)),
    }


@dataclass(frozen=True, slots=True)
class _Spent:
    """Seconds by the clock, and of the processor."""

    wall: float = 0.0
    processor: float = 0.0

    def __add__(self, other: _Spent) -> _Spent:
        return _Spent(self.wall + other.wall, self.processor + other.processor)


def _timed(work: Callable[[], Any]) -> tuple[_Spent, Any]:
    """Return what a call took, and what it returned."""
    wall, processor = time.perf_counter(), time.process_time()
    found = work()
    return _Spent(time.perf_counter() - wall, time.process_time() - processor), found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--count", type=int, default=25, help="queries a structure")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="few queries")
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON; a .md beside it")
    parser.add_argument("--only", choices=ORDER, help=argparse.SUPPRESS)
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given)
    count = 3 if arguments.quick else arguments.count
    if arguments.only:
        graph = load_graph_folder(arguments.folder)
        predictor, config = _model(graph, arguments.model, arguments.seed)
        found = measure(arguments.only, graph, predictor, config, count=count, seed=arguments.seed)
        print(json.dumps(found))
        return 0
    machine = this_machine()
    result = {
        "command": shlex.join(["python", "-m", "bench.answering_speed", *given]),
        "commit": current_commit(),
        "date": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
        "machine": {"cores": machine.cores, "memory_gb": machine.memory_gb},
        "seed": arguments.seed,
        "answers": K,
        "model": None if arguments.model is None else arguments.model.name,
        "methods": {name: _in_own_process(given, name) for name in ORDER},
    }
    print(page(result))
    if arguments.out is not None:
        write_json(arguments.out, result)
        arguments.out.with_suffix(".md").write_text(page(result), encoding="utf-8")
    return 0


def _in_own_process(arguments: Sequence[str], method: str) -> Any:
    command = [sys.executable, "-m", "bench.answering_speed", *arguments, "--only", method]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return json.loads(done.stdout.splitlines()[-1])


def _model(
    graph: GraphFolder, folder: Path | None, seed: int
) -> tuple[LinkPredictor, SymbolicConfig]:
    if folder is None:
        return RandomLinks(graph.full.num_entities, seed=seed), SymbolicConfig()
    model = load_folder_model(folder, graph.train)
    return model.predictor, model.config.answering


if __name__ == "__main__":
    sys.exit(main())
