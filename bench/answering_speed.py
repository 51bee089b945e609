"""How fast symbolic answering is, beside the dense formulation, in one run.

Question: how many queries a second, cold (no predicted row known) and warm, how long one takes, at
which MRR and memory? A stream of distinct queries of all structures comes in batches, as commands
ask them. Warm means: each was asked before. Symbolic answering then opens its rows from disk, as
the next process does; all dense rows of 63,361 entities and 400 directed relations are 6.4 TB, so
that the rival keeps as many of them as fit the same limit of memory.

Rival: `bench.dense_answering` with the same link predictor and the same reading of negation; once
as published, with QTO's threshold and every entity of a set followed, and once helped: with our
threshold and our limit of entities that are followed, which is no part of the formulation.
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
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
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
from reasoning.sampling import sample_queries
from reasoning.structures import STRUCTURES
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.config import SymbolicConfig

__all__ = ["main", "measure", "page"]

METHODS = ("sparse", "sparse, plain", "dense", "dense, helped")
"""Plain: ranks by the published formula, without `benefit_of_doubt` and `noisy_or`."""
K = 10
"""Answers of a query, where it is asked as a user asks."""

Answering = SymbolicAnswerer | DenseAnswerer


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
        config: Of symbolic answering.
        count: Queries a structure.
        seed: Of the sample, and of the order of the stream.

    Returns:
        Figures as plain values: milliseconds, queries a second, MRR as a fraction, megabytes.
    """
    known, full = directed_edges(graph.train), directed_edges(graph.train_valid)
    draw = np.random.default_rng
    sampled = {
        name: sample_queries(structure, count, full, generator=draw(seed), known=known)
        for name, structure in STRUCTURES.items()
    }
    sets = {name: queries for name, queries in sampled.items() if len(queries)}
    trees = {
        name: [queries.tree(row, graph.train) for row in range(len(queries))]
        for name, queries in sets.items()
    }
    places = [(name, row) for name, queries in sets.items() for row in range(len(queries))]
    order = [places[place] for place in draw(seed).permutation(len(places))]
    stream = [trees[name][row] for name, row in order]
    batches = [stream[low : low + config.batch] for low in range(0, len(stream), config.batch)]
    with TemporaryDirectory() as folder:
        opened = partial(_answerer, method, graph, predictor, config, Path(folder))
        answerer = opened()
        start = peak_memory_mb()
        reciprocal: dict[str, list[float]] = {name: [] for name in sets}
        cold, asked = _Spent(), iter(order)
        for batch in batches:
            spent, scores = _timed(partial(answerer.scores, batch))
            cold += spent
            for (name, row), one in zip(islice(asked, len(batch)), scores, strict=True):
                ranks = query_ranks(one, sets[name].hard[row], sets[name].easy[row]).realistic
                reciprocal[name].append(float(np.mean(1.0 / ranks)))
        if isinstance(answerer, SymbolicAnswerer):
            _asked(answerer, stream)
            answerer.flush()
            answerer = opened()
        warm = _Spent()
        for batch in batches:
            warm += _timed(partial(_asked, answerer, batch))[0]
        by = {name: _structure(answerer, trees[name], reciprocal[name]) for name in sets}
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


def _answerer(
    method: str, graph: GraphFolder, predictor: LinkPredictor, config: SymbolicConfig, rows: Path
) -> Answering:
    if method == "dense":
        published = DenseConfig(
            delta=config.delta, max_support=None, memory_bytes=config.memory_bytes
        )
        return DenseAnswerer(graph.train, predictor, published)
    if method == "dense, helped":
        helped = DenseConfig(
            epsilon=config.epsilon,
            delta=config.delta,
            max_support=config.max_support,
            memory_bytes=config.memory_bytes,
        )
        return DenseAnswerer(graph.train, predictor, helped)
    if method == "sparse, plain":
        config = replace(config, benefit_of_doubt=0.0, noisy_or=False)
    return SymbolicAnswerer(graph.train, predictor, config, row_folder=rows)


def _structure(
    answerer: Answering, trees: Sequence[Query], reciprocal: Sequence[float]
) -> dict[str, float]:
    """Ask each query by itself, twice in a row, and time the second."""
    spent = []
    for tree in trees:
        _asked(answerer, [tree])
        spent.append(_timed(partial(_asked, answerer, [tree]))[0])
    walls = [1000.0 * one.wall for one in spent]
    return {
        "n": len(trees),
        "mrr": float(np.mean(reciprocal)),
        "warm_ms": float(np.mean(walls)),
        "warm_cpu_ms": 1000.0 * float(np.mean([one.processor for one in spent])),
        "warm_p50_ms": float(np.quantile(walls, 0.5)),
        "warm_p99_ms": float(np.quantile(walls, 0.99)),
    }


def _asked(answerer: Answering, trees: Sequence[Query]) -> Any:
    """Ask for the best answers; of dense scores the largest are taken."""
    if isinstance(answerer, SymbolicAnswerer):
        return answerer.answer(trees, K)
    return [np.argpartition(-row, K)[:K] for row in answerer.scores(trees)]


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


def page(result: dict[str, Any]) -> str:
    """Return the tables of a result in Markdown."""
    machine = result["machine"]
    methods = {name: result["methods"][name] for name in METHODS}  # JSON keeps no order
    about = (
        f"`{result['command']}`, commit {result['commit']}, {result['date']}, "
        f"{machine['cores']} cores, {machine['memory_gb']:.0f} GB, seed {result['seed']}. "
        f"MRR × 100 on sampled validation queries; {K} answers a query where it is warm."
    )
    heads = ["method", "queries", "cold q/s", "of processor time", "warm q/s"]
    heads += ["of processor time", "MRR", "peak memory, MB"]
    lines = ["# Speed of answering", "", about, "", _row(heads), _row(["---"] * len(heads))]
    kinds = ("cold", "cold_cpu", "warm", "warm_cpu")
    for name, one in methods.items():
        rates = [f"{one[f'{kind}_queries_per_second']:.1f}" for kind in kinds]
        mrr, memory = f"{100 * one['mrr']:.2f}", f"{one['peak_memory_mb']:.0f}"
        lines.append(_row([name, f"{one['queries']}", *rates, mrr, memory]))
    lines += ["", *(_against(methods, name) for name in methods if name.startswith("dense"))]
    lines += ["", "Milliseconds of a warm query that comes alone:", ""]
    heads = ["structure", "n"]
    heads += [f"{name}: {key}" for name in methods for key in ("p50", "p99", "MRR")]
    lines += [_row(heads), _row(["---"] * len(heads))]
    keys = ("warm_p50_ms", "warm_p99_ms", "mrr")
    for name in STRUCTURES:
        every = [each["structures"][name] for each in methods.values()]
        cells = (_cell(one, key) for one in every for key in keys)
        lines.append(_row([name, f"{every[0]['n']}", *cells]))
    return "\n".join(lines) + "\n"


def _against(methods: dict[str, Any], name: str) -> str:
    """Return in words how much faster the two readings of sparse are, and how far MRR differs."""
    other = methods[name]
    rates = [
        f"{methods['sparse'][key] / other[key]:,.1f} times as many a second {when}"
        for when, key in (("cold", "cold_queries_per_second"), ("warm", "warm_queries_per_second"))
    ]
    gap = {ours: 100 * (methods[ours]["mrr"] - other["mrr"]) for ours in METHODS[:2]}
    gaps = [f"{value:+.2f} ({ours})" for ours, value in gap.items()]
    return f"- Sparse against {name}: {' and '.join(rates)}; MRR {' and '.join(gaps)}."


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(one: dict[str, float], key: str) -> str:
    return f"{100 * one[key]:.1f}" if key == "mrr" else f"{one[key]:.2f}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--count", type=int, default=25, help="queries a structure")
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
