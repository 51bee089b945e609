"""How time and memory of a query grow with the graph: synthetic graphs of equal degree.

Question: from ten thousand to a million entities, what does a query cost?
Command: ``python -m bench.growth --out docs/benchmarks/growth.json``; ``--quick`` takes two small
graphs. Each size runs in a process of its own, so that peak memory is its own.

The graphs are random, five edges an entity over 40 relations. Predicted rows come from random
vectors by an approximate search of inverted lists (`bench.random_links`): what they predict means
nothing, the arrays are of the size and sparsity of real ones. A row of all entities is never made.
"""

from __future__ import annotations

import argparse
import json
import math
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.random_links import RandomLinks
from evaluation import current_commit, peak_memory_mb, this_machine
from kg.files import atomic_write, write_json
from kg.model import EntityKey
from kg.snapshot import Snapshot
from kg.vocabulary import Vocabulary
from reasoning.id_sets import directed_edges
from reasoning.sampling import sample_queries
from reasoning.structures import STRUCTURES
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.config import SymbolicConfig

__all__ = ["main", "measured", "page", "synthetic_graph"]

SIZES = (10_000, 100_000, 1_000_000)
QUICK_SIZES = (500, 2_000)
RELATIONS = 40
DEGREE = 5
SHAPES = ("1p", "2p", "3p", "2i", "pi", "2u", "2in", "inp")
K = 10


def synthetic_graph(num_entities: int, *, seed: int = 0) -> Snapshot:
    """Return a random graph with `DEGREE` edges an entity."""
    generator = np.random.default_rng(seed)
    edges = generator.integers(
        0,
        (RELATIONS, num_entities, num_entities),
        size=(DEGREE * num_entities, 3),
        dtype=np.int32,
    )
    edges = edges[np.lexsort(edges.T[::-1])]
    keep = np.ones(len(edges), dtype=np.bool_)
    keep[1:] = (edges[1:] != edges[:-1]).any(axis=1)
    edges = edges[keep]
    width = len(str(num_entities))
    names = tuple(f"e{number:0{width}}" for number in range(num_entities))
    return Snapshot(
        entities=Vocabulary(map(EntityKey, names)),
        relation_names=Vocabulary(f"r{number:02}" for number in range(RELATIONS)),
        labels=Vocabulary(["Entity"]),
        names=names,
        attributes={},
        heads=edges[:, 1].copy(),
        relations=edges[:, 0].copy(),
        tails=edges[:, 2].copy(),
        probabilities=np.ones(len(edges), dtype=np.float32),
        label_ids=np.zeros(num_entities, dtype=np.int32),
        parents=np.full(num_entities, -1, dtype=np.int32),
    )


def measured(num_entities: int, *, count: int, seed: int = 0) -> dict[str, Any]:
    """Return times and memory of queries on one synthetic graph.

    Args:
        num_entities: Size of the graph.
        count: Queries a structure.
        seed: Everything random follows from it.
    """
    start = time.perf_counter()
    graph = synthetic_graph(num_entities, seed=seed)
    edges = directed_edges(graph)
    draw = np.random.default_rng(seed)
    sets = {name: sample_queries(STRUCTURES[name], count, edges, generator=draw) for name in SHAPES}
    built = time.perf_counter() - start
    del edges
    answerer = SymbolicAnswerer(
        graph, RandomLinks(num_entities, seed=seed), SymbolicConfig(max_support=200, floor=1e-4)
    )
    before = peak_memory_mb()
    by: dict[str, dict[str, float]] = {}
    for name, queries in sets.items():
        if not len(queries):
            continue
        trees = [queries.tree(row, graph) for row in range(len(queries))]
        cold: list[float] = []
        warm: list[float] = []
        for times in (cold, warm):
            for tree in trees:
                moment = time.perf_counter()
                answerer.answer([tree], K)
                times.append(1000.0 * (time.perf_counter() - moment))
        by[name] = {
            "n": len(trees),
            "cold_ms": float(np.mean(cold)),
            "warm_ms": float(np.mean(warm)),
            "warm_p50_ms": float(np.median(warm)),
            "warm_p99_ms": float(np.quantile(warm, 0.99)),
        }
    return {
        "entities": num_entities,
        "edges": graph.num_edges,
        "structures": by,
        "cold_ms": float(np.mean([one["cold_ms"] for one in by.values()])),
        "warm_ms": float(np.mean([one["warm_ms"] for one in by.values()])),
        "build_seconds": built,
        "memory_before_queries_mb": before,
        "peak_memory_mb": peak_memory_mb(),
    }


def _exponent(rows: Sequence[dict[str, Any]], key: str) -> float:
    """Return b of cost ≈ a · entitiesᵇ by least squares; 1 would be as fast as the graph."""
    sizes = [math.log(row["entities"]) for row in rows]
    return float(np.polyfit(sizes, [math.log(row[key]) for row in rows], 1)[0])


def page(result: dict[str, Any], *, plot: str) -> str:
    """Return the page of a result in Markdown.

    Args:
        result: What `main` writes as JSON.
        plot: Name of the picture beside the page.
    """
    machine, power, rows = result["machine"], result["exponent"], result["sizes"]
    made = (
        f"`{result['command']}`, commit {result['commit']}, {result['date']}, "
        f"{machine['cores']} cores, {machine['memory_gb']} GiB, seed {result['seed']}."
    )
    about = (
        f"Random graphs of equal degree ({DEGREE} edges an entity, {RELATIONS} relations), one "
        f"query at a time, {K} answers each, a process for each size. Predicted rows come from "
        "random vectors by a search of inverted lists: they are as long and as sparse as real "
        "ones and predict nothing. Time grows as the number of entities to the power of "
        f"**{power['cold_ms']:.2f}** where no row is known yet and **{power['warm_ms']:.2f}** "
        "where the rows are (1 would be as fast as the graph)."
    )
    heads = ("entities", "edges", "ms the first time", "ms warm", "peak memory, MB", "before, MB")
    lines = ["# Growth with the size of the graph", "", made, "", about, ""]
    lines += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines += [
        f"| {one['entities']:,} | {one['edges']:,} | {one['cold_ms']:.1f} | {one['warm_ms']:.2f} | "
        f"{one['peak_memory_mb']:,.0f} | {one['memory_before_queries_mb']:,.0f} |"
        for one in rows
    ]
    lines += ["", f"![Time and memory by the number of entities]({plot})", ""]
    lines += ["Warm, p50 and p99, ms:", ""]
    lines += ["| structure | " + " | ".join(f"{one['entities']:,}" for one in rows) + " |"]
    lines += ["|---" * (len(rows) + 1) + "|"]
    for name in SHAPES:
        found = [one["structures"].get(name) for one in rows]
        cells = [f"{f['warm_p50_ms']:.2f}, {f['warm_p99_ms']:.2f}" if f else "" for f in found]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _plotted(rows: Sequence[dict[str, Any]], path: Path) -> None:
    import altair as alt
    import vl_convert

    times = [
        {"entities": row["entities"], "what": what, "value": row[key]}
        for row in rows
        for what, key in (("first time", "cold_ms"), ("warm", "warm_ms"))
    ]
    memory = [{"entities": r["entities"], "value": r["peak_memory_mb"] / 1024} for r in rows]
    x = alt.X("entities:Q", scale=alt.Scale(type="log"))
    left = (
        alt.Chart(alt.Data(values=times))
        .mark_line(point=True)
        .encode(
            x=x,
            y=alt.Y("value:Q", title="ms a query", scale=alt.Scale(type="log")),
            color=alt.Color("what:N", title=None),
        )
    )
    right = (
        alt.Chart(alt.Data(values=memory))
        .mark_line(point=True)
        .encode(x=x, y=alt.Y("value:Q", title="peak memory, GiB"))
    )
    specification = json.dumps((left | right).to_dict())
    with atomic_write(path) as file:
        file.write(vl_convert.vegalite_to_svg(specification).encode())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=30, help="queries a structure")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="two small graphs")
    parser.add_argument("--out", type=Path, help="JSON; .svg and .md beside it")
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given)
    count = 2 if arguments.quick else arguments.count
    if arguments.size is not None:
        print(json.dumps(measured(arguments.size, count=count, seed=arguments.seed)))
        return 0
    machine = this_machine()
    rows = [_in_own_process(given, n) for n in (QUICK_SIZES if arguments.quick else SIZES)]
    result = {
        "command": shlex.join(["python", "-m", "bench.growth", *given]),
        "commit": current_commit(),
        "date": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
        "machine": {"cores": machine.cores, "memory_gb": machine.memory_gb},
        "seed": arguments.seed,
        "sizes": rows,
        "exponent": {key: _exponent(rows, key) for key in ("cold_ms", "warm_ms")},
    }
    for row in rows:
        print(
            f"{row['entities']:>9,} entities: {row['warm_ms']:.2f} ms warm, "
            f"{row['cold_ms']:.1f} ms the first time, {row['peak_memory_mb']:.0f} MB"
        )
    print("time grows as entities to the power", result["exponent"])
    if arguments.out is not None:
        write_json(arguments.out, result)
        picture = arguments.out.with_suffix(".svg")
        _plotted(rows, picture)
        with atomic_write(arguments.out.with_suffix(".md")) as file:
            file.write(page(result, plot=picture.name).encode())
    return 0


def _in_own_process(arguments: Sequence[str], size: int) -> Any:
    command = [sys.executable, "-m", "bench.growth", *arguments, "--size", str(size)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
