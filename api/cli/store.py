"""`umbra store`: the embedded store's process."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra store status
  umbra store stop

The store starts when a command needs it and ends itself when nobody has used it for a while.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("store", help="the embedded store's process")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for action, text in (("status", "is it running"), ("stop", "end it now")):
        one = actions.add_parser(
            action,
            parents=[common],
            help=text,
            description=f"The embedded store: {text}.",
            epilog=EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        one.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show or end the store's process."""
    from dataclasses import asdict

    from api.cli.printing import print_outcome
    from api.workspace import find_workspace
    from kg.launcher import stop_store, store_status

    folder = find_workspace(arguments.folder).graph
    if arguments.action == "stop":
        print_outcome("store", {"stopped": stop_store(folder)}, as_json=arguments.json)
    else:
        print_outcome("store", asdict(store_status(folder)), as_json=arguments.json)
    return 0
