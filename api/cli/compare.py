"""`umbra compare`: result files of evaluations side by side."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra compare ours.json theirs.json
  umbra compare seed0.json seed1.json seed2.json --out table.txt

Percentages; behind each the difference to the first run and its 95 % interval: paired, by the
bootstrap over the queries, where the values of single queries (.units.npz) lie beside both results.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command; it needs no working folder."""
    del common
    parser = commands.add_parser(
        "compare",
        help="results of evaluations side by side, with intervals",
        description="Show results of evaluations side by side, with intervals of the differences.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="result file (JSON)")
    parser.add_argument("--out", type=Path, help="write the table to a file too")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare and print."""
    from evaluation import compare, read_result
    from evaluation.comparison import as_text
    from evaluation.units import read_units, units_path
    from kg.errors import MissingPartError
    from kg.files import atomic_write

    for path in arguments.runs:
        if not path.is_file():
            raise MissingPartError("no result of a run", where=str(path), hint="umbra evaluate")
    results = [read_result(path) for path in arguments.runs]
    units = [
        read_units(units_path(path), inputs=result.inputs)
        for path, result in zip(arguments.runs, results, strict=True)
    ]
    table = as_text(compare(*results, units=units), [path.stem for path in arguments.runs])
    print(table)
    if arguments.out is not None:
        with atomic_write(arguments.out) as file:
            file.write(table.encode() + b"\n")
    return 0
