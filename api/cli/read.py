"""`umbra read`: documents into the graph."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra read report.md
  umbra read reports/ --link
  umbra read page.html notes.txt --json

Markdown (.md), HTML (.html, .htm) and plain text (.txt) in UTF-8; a folder is read with all below
it. A document that has changed replaces the earlier one; `umbra graph undo --source report.md`
takes it out again.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "read",
        parents=[common],
        help="documents into the graph: passages, tables, figures",
        description="Write passages, tables and figures of documents into the graph.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, help="documents, or folders of them")
    parser.add_argument(
        "--link",
        action="store_true",
        help="link what they speak of by the trained linker, as edges `mentions`",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Read documents and print what was written."""
    import sys

    from api.cli.printing import print_outcome, progress_bar
    from api.engine import Engine
    from api.steps.documents import add_documents

    with (
        Engine.open(arguments.folder) as engine,
        progress_bar("reading", "documents") as progress,
    ):
        outcome = add_documents(engine, arguments.paths, link=arguments.link, progress=progress)
    for why in outcome["why"] if not arguments.json else ():
        print(f"a picture was not kept: {why}", file=sys.stderr)
    shown = outcome if arguments.json else {k: v for k, v in outcome.items() if k != "why"}
    print_outcome("documents", shown, as_json=arguments.json)
    return 0
