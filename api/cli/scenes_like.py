"""`umbra scenes like`: which parts of pictures look like one."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra scenes like part:country:TR/1
  umbra scenes like part:country:TR/1 --most 30 --json

By what the image encoder sees under each part's mask. The first call encodes the pictures, and
keeps the vectors in the working folder.
"""


def add_parser(actions: Any, common: argparse.ArgumentParser) -> None:
    """Declare the action."""
    one = actions.add_parser(
        "like",
        parents=[common],
        help="find parts of pictures that look like one",
        description="Find the parts of pictures that look like one.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("part", metavar="KEY", help="key of a part of a picture")
    one.add_argument("--most", type=int, default=10, help="parts at most (default 10)")
    one.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the parts, most alike first."""
    from api.cli.printing import print_json, print_rows
    from api.engine import Engine
    from api.steps.part_vectors import similar_parts

    with Engine.open(arguments.folder) as engine:
        found = similar_parts(engine, arguments.part, most=arguments.most)
    if arguments.json:
        print_json(
            [{"key": part.key, "name": part.name, "cosine": cosine} for part, cosine in found]
        )
        return 0
    rows = [(f"{cosine:.2f}", part.name, part.key) for part, cosine in found]
    print_rows(("cosine", "part", "key"), rows)
    return 0
