"""Throughput of sampling queries with held-out answers, beside KGReasoning's sampler.

Question: how many accepted queries a second, answers included, does each sampler draw by the same
rules? Rival: `fill_query` and `achieve_answer` of BetaE's public code, in a checkout that the
reader makes (``--kgreasoning DIR``); its code stays out of this repository. Both draw from one
graph in one process, alternating by structure; a query of theirs is answered by ours too, and must
get the same answers. Command: ``python -m bench.sampling_speed FOLDER --out JSON
[--kgreasoning DIR]``, a minute or two. Their loop draws from sets with ``random.sample``, which
Python 3.11 refuses: it is given a list instead, the least that makes it run.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from evaluation import Measurement, current_commit, this_machine
from kg.files import write_json
from kg.graph_folder import GraphFolder, load_graph_folder
from reasoning.id_sets import DirectedEdges, answer_codes, directed_edges
from reasoning.notations.betae import BetaeNames, read_betae
from reasoning.sampling import MAX_ANSWERS, sample_queries
from reasoning.structures import STRUCTURES, structure_of

SHAPES: dict[str, list[Any]] = {
    "2p": ["e", ["r", "r"]],
    "3p": ["e", ["r", "r", "r"]],
    "2i": [["e", ["r"]], ["e", ["r"]]],
    "3i": [["e", ["r"]], ["e", ["r"]], ["e", ["r"]]],
    "pi": [["e", ["r", "r"]], ["e", ["r"]]],
    "ip": [[["e", ["r"]], ["e", ["r"]]], ["r"]],
    "2in": [["e", ["r"]], ["e", ["r", "n"]]],
    "3in": [["e", ["r"]], ["e", ["r"]], ["e", ["r", "n"]]],
    "inp": [[["e", ["r"]], ["e", ["r", "n"]]], ["r"]],
    "pin": [["e", ["r", "r"]], ["e", ["r", "n"]]],
    "pni": [["e", ["r", "r", "n"]], ["e", ["r"]]],
}
"""KGReasoning's shapes; its unions stand in another notation and are left out."""

Index = Any
"""Their graph: entity, relation, set of entities, as nested dicts."""


def ours(graph: GraphFolder, name: str, count: int, seed: int) -> tuple[int, float]:
    """Draw queries; returns how many and the seconds."""
    full, known = directed_edges(graph.full), directed_edges(graph.train_valid)
    started = time.perf_counter()
    generator = np.random.default_rng(seed)
    found = sample_queries(STRUCTURES[name], count, full, generator=generator, known=known)
    return len(found), time.perf_counter() - started


def theirs(
    module: ModuleType, indexes: tuple[Index, ...], name: str, count: int, seconds: float
) -> tuple[list[tuple[list[Any], set[int]]], float]:
    """Draw queries by their functions until there are enough or the time is up."""
    ent_in, ent_out, small_in, small_out = indexes
    entities = list(ent_in)
    found: list[tuple[list[Any], set[int]]] = []
    started = time.perf_counter()
    while len(found) < count and time.perf_counter() - started < seconds:
        query = deepcopy(SHAPES[name])
        if module.fill_query(query, ent_in, ent_out, random.choice(entities), {}, {}):
            continue
        answers = module.achieve_answer(query, ent_in, ent_out)
        small = module.achieve_answer(query, small_in, small_out)
        new, retracted = answers - small, small - answers
        if not new or ("n" in name and not retracted):
            continue
        if max(len(new), len(retracted)) <= MAX_ANSWERS:
            found.append((query, answers))
    return found, time.perf_counter() - started


def kgreasoning(folder: Path) -> ModuleType:
    """Load their sampler, with a `random.sample` that takes sets."""
    spec = importlib.util.spec_from_file_location("create_queries", folder / "create_queries.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{folder} holds no create_queries.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sample: Callable[..., Any] = lambda items, n: random.sample(list(items), n)  # noqa: E731
    module.random = SimpleNamespace(sample=sample)  # type: ignore[attr-defined]
    return module


def indexed(edges: DirectedEdges) -> tuple[Index, Index]:
    """Return a graph in their form: what enters and what leaves each entity."""
    ent_in: Index = defaultdict(lambda: defaultdict(set))
    ent_out: Index = defaultdict(lambda: defaultdict(set))
    columns = (edges.starts.tolist(), edges.codes.tolist(), edges.ends.tolist())
    for start, code, end in zip(*columns, strict=True):
        ent_out[start][code].add(end)
        ent_in[end][code].add(start)
    return ent_in, ent_out


def check(graph: GraphFolder, found: Sequence[tuple[list[Any], set[int]]]) -> None:
    """Answer their queries by our evaluator; another answer set ends the bench."""
    full = directed_edges(graph.full)
    keys, relations = graph.full.entities.names, graph.full.relation_names.names
    signed = [f"{sign}{name}" for name in relations for sign in ("+", "-")]
    for query, answers in found:
        names = BetaeNames(entities=keys, relations=signed, known=graph.full.relation_names)
        structure, anchors, codes = structure_of(read_betae(query, names), graph.full)
        given = (np.array([anchors], dtype=np.int32), np.array([codes], dtype=np.int32))
        mine = answer_codes(structure, *given, full)
        assert set(mine.tolist()) == answers, f"another answer set for {query}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="graph folder")
    parser.add_argument("--out", type=Path, required=True, help="result file (JSON)")
    parser.add_argument("--kgreasoning", type=Path, help="a checkout of KGReasoning")
    parser.add_argument("--count", type=int, default=1000, help="queries of each structure")
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="most, for a structure of theirs"
    )
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(argv)
    clock = Measurement.start()
    random.seed(given.seed)
    graph = load_graph_folder(given.folder)
    module = None if given.kgreasoning is None else kgreasoning(given.kgreasoning)
    indexes: tuple[Index, ...] = ()
    if module is not None:
        indexes = (
            *indexed(directed_edges(graph.full)),
            *indexed(directed_edges(graph.train_valid)),
        )
    rows: dict[str, dict[str, float]] = {}
    for name in SHAPES:
        ours(graph, name, 10, given.seed)  # warm
        count, seconds = ours(graph, name, given.count, given.seed)
        rows[name] = {"queries": count, "queries_a_second": round(count / seconds, 1)}
        if module is not None:
            found, seconds = theirs(module, indexes, name, given.count, given.seconds)
            check(graph, found[:20])
            rows[name]["kgreasoning_queries"] = len(found)
            rows[name]["kgreasoning_queries_a_second"] = round(len(found) / seconds, 1)
        print(name, rows[name], flush=True)
    machine = this_machine()
    write_json(
        given.out,
        {
            "command": "python -m bench.sampling_speed",
            "commit": current_commit(),
            "date": clock.date,
            "machine": {"cores": machine.cores, "memory_gb": machine.memory_gb},
            "seed": given.seed,
            "graph": graph.full.hash,
            "structures": rows,
        },
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
