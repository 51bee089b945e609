"""`umbra sample`: queries with held-out answers, drawn by the protocol of the field."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra sample FOLDER --out queries.jsonl.gz
  umbra sample fb15k-237 --out valid.parquet --split valid --structure 2i --structure pni

The same seed draws the same queries, whatever else is drawn. Beside OUT lies a manifest with the
seed and the hashes of the graph and of the file.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "sample",
        parents=[common],
        help="draw queries with held-out answers from a graph folder",
        description="Draw queries with held-out answers from a graph folder, by BetaE's protocol.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("graph", help="graph folder, or the name of a data set")
    parser.add_argument(
        "--out", type=Path, required=True, help="query file: .jsonl, .jsonl.gz or .parquet"
    )
    parser.add_argument(
        "--split",
        choices=("valid", "test"),
        default="test",
        help="where hard answers come from (default test)",
    )
    parser.add_argument(
        "--structure", action="append", metavar="NAME", help="which (default all 14); repeatable"
    )
    parser.add_argument(
        "--count", type=int, help="queries of each structure (default 2000, of 1p all)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed (default 0)")
    parser.add_argument("--processes", type=int, default=1, help="processes at work (default 1)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draw, write and say how many."""
    from api.cli.printing import print_outcome, progress_bar
    from api.data_sets import graph_folder
    from kg.errors import MissingPartError
    from kg.graph_folder import load_graph_folder
    from reasoning.benchmark_sampling import DEFAULT_COUNT, BenchmarkSample, sample_benchmark
    from reasoning.query_writing import check_ending, write_query_file
    from reasoning.structures import STRUCTURES

    check_ending(arguments.out)
    names = list(dict.fromkeys(arguments.structure or STRUCTURES))
    counts = {name: arguments.count or (None if name == "1p" else DEFAULT_COUNT) for name in names}
    sample = BenchmarkSample(split=arguments.split, counts=counts, seed=arguments.seed)
    graph = load_graph_folder(graph_folder(arguments.graph, working_folder=arguments.folder))
    with progress_bar("sampling", "structures") as progress:
        sets = sample_benchmark(graph, sample, processes=arguments.processes, progress=progress)
    if not any(map(len, sets)):
        raise MissingPartError(
            f"no question needs an edge of the split {sample.split!r}",
            where=str(graph.path),
            hint=f"is there a {sample.split}.tsv.gz whose edges are in no earlier split?",
        )
    write_query_file(
        arguments.out, sets, graph, {"seed": sample.seed, "split": sample.split, "asked": counts}
    )
    outcome = {one.structure.name: len(one) for one in sets}
    print_outcome("queries", outcome | {"file": str(arguments.out)}, as_json=arguments.json)
    return 0
