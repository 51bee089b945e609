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
  umbra read report.md --dry-run

Markdown (.md), HTML (.html, .htm) and plain text (.txt) in UTF-8; a folder is read with all below
it. A document that has changed replaces the earlier one, and what was derived from what it says no
more goes, too: --dry-run says what and why, a file brings it back. `umbra graph undo --source
report.md` takes the document out again.
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
    parser.add_argument(
        "--dry-run", action="store_true", help="say only what would be written, and what would go"
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
        outcome = add_documents(
            engine,
            arguments.paths,
            link=arguments.link,
            dry_run=arguments.dry_run,
            progress=progress,
        )
    for why in outcome["why"] if not arguments.json else ():
        print(f"a picture was not kept: {why}", file=sys.stderr)
    lists = ("why", "gone", "brought_back_by", "written")
    shown = outcome if arguments.json else {k: v for k, v in outcome.items() if k not in lists}
    print_outcome("documents", shown, as_json=arguments.json)
    if not arguments.json:
        for name in outcome["gone"]:
            print(f"  - {name}")
        for file in outcome["brought_back_by"]:
            print(f"brought back by: umbra build {file}")
        if not outcome["written"]:
            print("nothing was changed; without --dry-run it is done")
    return 0
