"""`umbra demo`: the whole path, from files to answered questions, with a report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra demo examples/countries
  umbra demo examples/countries --report report.html

Run again, it does only what has changed.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "demo",
        parents=[common],
        help="build, link, see, train, answer; ends with a report",
        description="Build a graph, link mentions, take images apart, train, answer, report.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", type=Path, help="folder with a demo.toml")
    parser.add_argument(
        "--report",
        type=Path,
        default=Path("report.html"),
        help="where the report goes, HTML (default report.html)",
    )
    parser.add_argument(
        "--workers", type=int, default=2, help="steps side by side (default 2; 0: in one process)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the demo and print its report."""
    from api.cli.printing import print_json, progress_bars
    from api.demo.pipeline import run_demo
    from api.demo.recipe import load_recipe
    from api.demo.report import print_report, write_html
    from api.engine import Engine

    recipe = load_recipe(arguments.data)
    with Engine.open(arguments.folder) as engine, progress_bars() as bars:
        report = run_demo(engine, recipe, bars, workers=arguments.workers)
    write_html(report, arguments.report)
    if arguments.json:
        print_json(report)
    else:
        print_report(report, arguments.report)
    return 0
