"""How fast symbolic answering is, beside the dense formulation, in one run.

Question: how many queries a second, and how long one takes, cold (no predicted row known) and warm,
one by one and in batches, at which MRR and memory? Rival: `bench.dense_answering` with the same
link predictor, the same thresholds, the same limit of memory for rows and the same reading of
negation. With few queries all dense rows fit that limit; with 100 a structure they do not.
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
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

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

__all__ = ["main", "measure", "page"]

METHODS = ("sparse", "sparse without doubt", "dense")
"""Without doubt: `SymbolicConfig.benefit_of_doubt` 0, which ranks as the dense formulation does."""
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
        method: One of `METHODS`.
        graph: The graph; the training edges are known.
        predictor: Gives rows.
        config: Of symbolic answering; the dense formulation takes the same thresholds.
        count: Queries a structure.
        seed: Of the sample.

    Returns:
        Figures as plain values: milliseconds, queries a second, MRR as a fraction, megabytes.
    """
    known, full = directed_edges(graph.train), directed_edges(graph.train_valid)
    sets = {
        name: sample_queries(
            structure, count, full, generator=np.random.default_rng(seed), known=known
        )
        for name, structure in STRUCTURES.items()
    }
    answerer = _answerer(method, graph, predictor, config)
    start = peak_memory_mb()
    by = {
        name: _structure(answerer, graph, queries) for name, queries in sets.items() if len(queries)
    }
    return {
        "structures": by,
        "mrr": float(np.mean([one["mrr"] for one in by.values()])),
        **{
            f"{kind}_queries_per_second": _rate([one[f"{kind}_ms"] for one in by.values()])
            for kind in ("cold", "warm", "warm_cpu", "warm_scores")
        },
        "memory_before_mb": start,
        "peak_memory_mb": peak_memory_mb(),
    }


def _answerer(
    method: str, graph: GraphFolder, predictor: LinkPredictor, config: SymbolicConfig
) -> SymbolicAnswerer | DenseAnswerer:
    if method == "dense":
        dense = DenseConfig(
            epsilon=config.epsilon,
            delta=config.delta,
            max_support=config.max_support,
            memory_bytes=config.memory_bytes,
        )
        return DenseAnswerer(graph.train, predictor, dense)
    doubt = config.benefit_of_doubt if method == "sparse" else 0.0
    return SymbolicAnswerer(graph.train, predictor, replace(config, benefit_of_doubt=doubt))


def _rate(means: Sequence[float]) -> float:
    """Return queries a second over structures in equal shares, from milliseconds a query."""
    return float(1000.0 / np.mean(means))


def _structure(
    answerer: SymbolicAnswerer | DenseAnswerer, graph: GraphFolder, queries: QuerySet
) -> dict[str, float]:
    trees = [queries.tree(row, graph.train) for row in range(len(queries))]
    ask = _asking(answerer)
    cold, ranks = [], []
    for row, tree in enumerate(trees):
        spent, scores = _timed(answerer.scores, [tree])
        cold.append(spent)
        found = query_ranks(scores[0], queries.hard[row], queries.easy[row]).realistic
        ranks.append(float(np.mean(1.0 / found)))
    again = [_timed(answerer.scores, [tree])[0] for tree in trees]
    processor = time.process_time()
    warm = [_timed(ask, [tree])[0] for tree in trees]
    processor = time.process_time() - processor
    figures = {
        "n": len(trees),
        "mrr": float(np.mean(ranks)),
        "cold_ms": float(np.mean(cold)),
        "cold_p50_ms": float(np.quantile(cold, 0.5)),
        "cold_p99_ms": float(np.quantile(cold, 0.99)),
        "warm_scores_ms": float(np.mean(again)),
        "warm_ms": float(np.mean(warm)),
        "warm_cpu_ms": 1000.0 * processor / len(trees),
        "warm_p50_ms": float(np.quantile(warm, 0.5)),
        "warm_p99_ms": float(np.quantile(warm, 0.99)),
    }
    if isinstance(answerer, SymbolicAnswerer):
        figures["batch_ms"] = _timed(ask, trees)[0] / len(trees)
    return figures


def _asking(
    answerer: SymbolicAnswerer | DenseAnswerer,
) -> Callable[[Sequence[Query]], Any]:
    """Return what asks for the best answers; of dense scores it takes the largest."""
    if isinstance(answerer, SymbolicAnswerer):
        return lambda trees: answerer.answer(trees, K)
    return lambda trees: np.argpartition(-answerer.scores(trees), K, axis=1)[:, :K]


def _timed(work: Callable[[Sequence[Query]], Any], trees: Sequence[Query]) -> tuple[float, Any]:
    """Return the milliseconds that a call took, and what it returned."""
    start = time.perf_counter()
    found = work(trees)
    return 1000.0 * (time.perf_counter() - start), found


def page(result: dict[str, Any]) -> str:
    """Return the tables of a result in Markdown."""
    sparse, dense = result["methods"]["sparse"], result["methods"]["dense"]
    machine = result["machine"]
    about = (
        f"`{result['command']}`, commit {result['commit']}, {result['date']}, "
        f"{machine['cores']} cores, {machine['memory_gb']:.0f} GB, seed {result['seed']}. "
        f"Milliseconds a query, {K} answers each; MRR × 100 on sampled validation queries."
    )
    heads = ["structure", "n", "p50", "p99", "batch", "cold", "MRR"]
    heads += ["dense p50", "dense p99", "dense cold", "dense MRR"]
    lines = ["# Speed of answering", "", about, "", _row(heads), _row(["---"] * len(heads))]
    keys = ("warm_p50_ms", "warm_p99_ms", "cold_ms", "mrr")
    for name, one in sparse["structures"].items():
        ours = [_cell(one, key) for key in (*keys[:2], "batch_ms", *keys[2:])]
        theirs = [_cell(dense["structures"][name], key) for key in keys]
        lines.append(_row([name, f"{one['n']}", *ours, *theirs]))
    heads = ["method", "warm queries/s", "of processor time", "cold queries/s", "MRR"]
    heads.append("peak memory, MB")
    lines += ["", _row(heads), _row(["---"] * len(heads))]
    for name, one in result["methods"].items():
        rates = [
            f"{one[f'{kind}_queries_per_second']:.1f}" for kind in ("warm", "warm_cpu", "cold")
        ]
        mrr, memory = f"{100 * one['mrr']:.2f}", f"{one['peak_memory_mb']:.0f}"
        lines.append(_row([name, *rates, mrr, memory]))
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(one: dict[str, float], key: str) -> str:
    return f"{100 * one[key]:.1f}" if key == "mrr" else f"{one[key]:.2f}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--count", type=int, default=100, help="queries a structure")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="few queries")
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON; a .md beside it")
    parser.add_argument("--only", choices=METHODS, help=argparse.SUPPRESS)
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
        "model": None if arguments.model is None else arguments.model.name,
        "methods": {name: _in_own_process(given, name) for name in METHODS},
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
