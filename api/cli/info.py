"""`umbra info`: what the working folder holds and how far each part has come."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra info
  umbra info --json
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "info",
        parents=[common],
        help="what the graph holds",
        description="Show what the working folder holds and how far each part has come.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the information."""
    from api.cli.printing import flattened, print_json, print_rows
    from api.engine import Engine
    from api.inspection import graph_info

    with Engine.open(arguments.folder) as engine:
        info = graph_info(engine)
    if arguments.json:
        print_json(info)
        return 0
    print_rows(("what", "value"), flattened(info))
    return 0
