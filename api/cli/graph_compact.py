"""`umbra graph compact`: removes what nothing can need from the working folder."""

from __future__ import annotations

import argparse
from typing import Any

from api.cli.actions import add_action

__all__ = ["add_parser", "run_compact"]

COMPACT = """examples:
  umbra graph compact --dry-run
  umbra graph compact
  umbra graph compact --json

What goes: temporary files of killed writes, replaced indexes of words, outputs of jobs that no
shard names, what killed restores and first loads left. Nothing younger than an hour goes, and it
is refused while a job runs. Others may use the graph meanwhile. The engine does not make its own
files smaller: a backup that is restored into a new folder does.
"""


def add_parser(actions: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    one = add_action(
        actions, common, "compact", "remove what nothing can need", examples=COMPACT,
        run=run_compact,
    )  # fmt: skip
    one.add_argument("--dry-run", action="store_true", help="only say what would go")


def run_compact(arguments: argparse.Namespace) -> int:
    """Compact and print what went."""
    from api.cli.printing import print_json, print_rows
    from api.engine import Engine
    from api.steps.compact import MEANINGS, compact

    with Engine.open(arguments.folder) as engine:
        done = compact(engine, dry_run=arguments.dry_run)
    if arguments.json:
        print_json(done)
        return 0
    removed = done["removed"]
    if removed:
        rows = [(w["path"], f"{w['bytes']:,}", MEANINGS[w["kind"]]) for w in removed]
        print_rows(("would go" if done["dry_run"] else "went", "bytes", "what it was"), rows)
        print()
    then = "would be left" if done["dry_run"] else "after"
    print(f"{done['bytes_before']:,} bytes before, {done['bytes_after']:,} {then}")
    return 0
