"""`umbra graph reindex`: makes the indexes of words and meaning anew."""

from __future__ import annotations

import argparse
from typing import Any

from api.cli.actions import add_action

__all__ = ["add_parser", "run_reindex"]

REINDEX = """examples:
  umbra graph reindex
  umbra graph reindex --json

The indexes of words and meaning follow the graph by themselves, and a damaged one is made anew when
it is opened: this is for whoever does not want to trust them. `umbra info` says how far each has
come. Vectors of parts of pictures go, too, and come when they are asked for.
"""


def add_parser(actions: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    add_action(
        actions, common, "reindex", "make the indexes of words and meaning anew", examples=REINDEX,
        run=run_reindex,
    )  # fmt: skip


def run_reindex(arguments: argparse.Namespace) -> int:
    """Make them and print how far they are."""
    from api.cli.printing import print_json, print_rows, progress_bar
    from api.engine import Engine
    from api.steps.reindex import reindex

    bar = progress_bar("encoding texts", "texts")
    with Engine.open(arguments.folder) as engine, bar as progress:
        done = reindex(engine, progress=progress)
    if arguments.json:
        print_json(done)
    else:
        rows = [(name, of["store_version"], of["behind"]) for name, of in done.items()]
        print_rows(("index", "version", "behind"), rows)
    return 0
