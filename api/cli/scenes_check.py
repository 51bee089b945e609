"""`umbra scenes check`: what is said of pictures, against the pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra scenes check
  umbra scenes check --descriptions examples/countries/flag_descriptions.jsonl.gz --out flags.jsonl

Flags a predicate between two parts that their boxes rule out ("above" of what lies below), with
who says it; with --descriptions also a text that names a figure or colour which two witnesses find
missing from the picture, or is silent of one that both find. Nothing in the graph is changed.
"""


def add_parser(actions: Any, common: argparse.ArgumentParser) -> None:
    """Declare the action."""
    one = actions.add_parser(
        "check",
        parents=[common],
        help="find what is in conflict with the pictures",
        description="Find predicates that boxes rule out and texts that pictures refute.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("--descriptions", type=Path, help="JSONL of entity_id and description")
    one.add_argument(
        "--key",
        default="country:{entity_id}",
        help="how entity_id makes a key (default country:{entity_id})",
    )
    one.add_argument("--drawn-alike", type=Path, help="JSON with sets of equal pictures")
    one.add_argument("--out", type=Path, metavar="FILE", help="rows with both sides, JSON Lines")
    one.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check, and print each conflict with both sides."""
    from api.cli.printing import print_json, print_rows
    from api.engine import Engine
    from api.steps.check_scenes import check_scenes

    with Engine.open(arguments.folder) as engine:
        rows = check_scenes(
            engine,
            descriptions=arguments.descriptions,
            key=arguments.key,
            drawn_alike=arguments.drawn_alike,
            out=arguments.out,
        )
    if arguments.json:
        print_json(rows)
        return 0
    print_rows(("of", "said", "against it"), [_row(row) for row in rows])
    return 0


def _row(row: dict[str, Any]) -> tuple[str, str, str]:
    if row["case"] == "geometry":
        who = ", ".join(
            f"{one['model'] or one['source']} {_chance(one['probability'])}" for one in row["said"]
        )
        said = f"{row['subject']} {row['predicate']} {row['object']} ({who})"
        return row["entity"], said, row["geometry"]
    votes = ", ".join(f"{one['witness']} {one['log_odds']:+.1f}" for one in row["votes"])
    return (
        row["entity"],
        f"the text {'names' if row['text'] == 'names' else 'is silent of'} {row['claim']}",
        f"the picture: {row['picture']} ({votes})",
    )


def _chance(probability: float | None) -> str:
    return "" if probability is None else f"{probability:.2f}"
