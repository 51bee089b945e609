"""`umbra evaluate`: how good a model is on a file of queries with held-out answers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra evaluate queries.jsonl.gz --graph NELL995 --model models/nell --json run.json
  umbra evaluate queries.jsonl --graph FOLDER --model DIR --known train+valid --json known.json

Beside OUT: a page (.md), plots (.svg, .png) and the value of each query (.units.npz), by which
`umbra compare` pairs runs. A run that was stopped goes on where it was. Data sets by name
(FB15k-237, NELL995, WN18RR, DB15K, MKG-W) are looked for below UMBRA_DATA, nothing is downloaded;
demo is the graph of `umbra demo`, split as its report is.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command; `--json` names a file here, so the common options stay out."""
    del common
    parser = commands.add_parser(
        "evaluate",
        help="rank the held-out answers of a file of queries",
        description="Rank the held-out answers of a file of queries by a trained model.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("queries", type=Path, help="query file: JSON lines, plain or gzip")
    parser.add_argument("--graph", required=True, help="graph folder, or the name of a data set")
    parser.add_argument("--folder", type=Path, help="working folder that demo stands for")
    parser.add_argument("--model", type=Path, required=True, help="folder of umbra train --out")
    parser.add_argument("--json", type=Path, required=True, metavar="OUT", help="result file")
    parser.add_argument(
        "--known",
        choices=("train", "train+valid"),
        default="train",
        help="edges that the answerer may use (default train, the published protocol)",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="first N queries of each structure")
    parser.add_argument("--processes", type=int, default=1, help="processes at work (default 1)")
    parser.add_argument("--no-plots", action="store_true", help="draw nothing")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print the figures."""
    import shlex
    import sys

    from api.cli.printing import print_result, print_warning, progress_bar
    from api.data_sets import graph_folder
    from api.steps.evaluate import Evaluation, evaluate

    task = Evaluation(
        queries=arguments.queries,
        graph=graph_folder(arguments.graph, working_folder=arguments.folder),
        model=arguments.model,
        out=arguments.json,
        known=arguments.known,
        limit=arguments.limit,
        processes=arguments.processes,
        plots=not arguments.no_plots,
        command=shlex.join(["umbra", *sys.argv[1:]]),
    )
    with progress_bar("evaluating", "queries") as progress:
        result = evaluate(task, progress=progress, warn=print_warning)
    print_result("evaluation", result, task.out)
    return 0
