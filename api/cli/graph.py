"""`umbra graph`: checks the graph and what lies beside it."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra graph check
  umbra graph check --json

Every node, edge, record, part, image file, snapshot and output of a job is read, and the embedded
engine checks its own pages, links and indexes. Nothing is changed; writers wait while the graph is
read. The exit status is 1 if anything is wrong.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("graph", help="check the graph")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    one = actions.add_parser(
        "check",
        parents=[common],
        help="find what is damaged",
        description="Find what is damaged in the graph and beside it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the graph and print what was found."""
    from dataclasses import asdict

    from api.cli.printing import print_json, print_rows, progress_bar
    from api.engine import Engine
    from api.steps.check_graph import MEANINGS, check_folder

    bar = progress_bar("reading image files", "images")
    with Engine.open(arguments.folder) as engine, bar as progress:
        found = check_folder(engine, progress=progress)
    if arguments.json:
        print_json([asdict(fault) | {"meaning": MEANINGS[fault.kind]} for fault in found])
    elif found:
        rows = [(fault.kind, fault.where, fault.what, MEANINGS[fault.kind]) for fault in found]
        print_rows(("fault", "where", "found", "meaning"), rows)
    else:
        print("nothing is wrong")
    return 1 if found else 0
