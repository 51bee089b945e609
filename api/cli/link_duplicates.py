"""`umbra link duplicates`: entities of the graph that may be one."""

from __future__ import annotations

import argparse
import sys
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra link duplicates --dry-run
  umbra link duplicates --label Country --least 0.9

Nothing is merged: the pairs become cases of `umbra link review`, where a person decides.
"""


def add_parser(actions: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = actions.add_parser(
        "duplicates",
        parents=[common],
        help="find entities that may be one",
        description="Find entities of the graph that may be one, with reasons, for a review.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--label", help="class of entities to look at (default: all)")
    parser.add_argument("--least", type=float, default=0.5, help="least probability (default 0.5)")
    parser.add_argument("--limit", type=int, default=100, help="most pairs (default 100)")
    parser.add_argument("--dry-run", action="store_true", help="print them, write nothing")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Find the pairs and print them."""
    from api.cli.printing import print_json, print_rows
    from api.cli.review_screen import printable
    from api.engine import Engine
    from api.review_desk import ReviewDesk
    from api.steps.duplicates import duplicates

    with Engine.open(arguments.folder) as engine:
        found = duplicates(
            ReviewDesk(engine),
            label=arguments.label,
            least=arguments.least,
            limit=arguments.limit,
            dry_run=arguments.dry_run,
        )
    if arguments.json:
        print_json(found)
        return 0
    rows = [
        (
            f"{pair.probability:.3f}",
            printable(f"{pair.stays_name} [{pair.stays}]"),
            printable(f"{pair.goes_name} [{pair.goes}]"),
            printable("; ".join(f"{sign} ({w:+g})" for sign, w in pair.reasons.items())),
        )
        for pair in found.pairs
    ]
    print_rows(("probability", "stays", "goes", "reasons"), rows)
    how = "set by hand"
    if found.learnt_from:
        how = f"learnt from {found.learnt_from} decisions"
    print(f"{found.found} pairs, {found.new_cases} new cases; weights {how}", file=sys.stderr)
    return 0
