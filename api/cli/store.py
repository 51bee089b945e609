"""`umbra store`: the embedded store's process."""

from __future__ import annotations

import argparse
from typing import Any

from api.cli.actions import add_actions

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra store status
  umbra store stop
  umbra store prepare

The store starts when a command needs it and ends itself when nobody has used it for a while.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("store", help="the embedded store's process")
    action = add_actions(parser, common, examples=EXAMPLES, run=run)
    action("status", "is the embedded store running")
    action("stop", "end the embedded store now")
    action("prepare", "halve what each later start of the store costs, once for an installation")


def run(arguments: argparse.Namespace) -> int:
    """Show or end the store's process, or prepare its starts."""
    from dataclasses import asdict

    from api.cli.printing import print_outcome
    from api.workspace import find_workspace
    from kg.launcher import stop_store, store_status

    if arguments.action == "prepare":
        from kg.engine_archive import make_archive

        print_outcome("store", make_archive(), as_json=arguments.json)
        return 0
    folder = find_workspace(arguments.folder).graph
    if arguments.action == "stop":
        print_outcome("store", {"stopped": stop_store(folder)}, as_json=arguments.json)
    else:
        print_outcome("store", asdict(store_status(folder)), as_json=arguments.json)
    return 0
