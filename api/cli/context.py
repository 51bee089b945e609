"""`umbra context`: evidence for a language model, within a budget of tokens."""

from __future__ import annotations

import argparse
from typing import Any

from api.cli.search import add_granularity

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra context "Which countries border Chad?" --budget 500
  umbra context "flags with a crescent" --label Country --json
  umbra context "a crescent" --kind image --kind part
  umbra context "When did Chad gain independence?" --kind passage --granularity sentence

Each line has its status (known, or likely with its probability), its source, and a key to cite.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "context",
        parents=[common],
        help="assemble evidence for a language model within a budget",
        description="Assemble evidence for a language model: answers, prose, facts, pictures.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("text", help="a question, or what is to be written about")
    parser.add_argument("--budget", type=int, default=2000, help="most tokens (default 2000)")
    parser.add_argument("-k", "--k", type=int, default=10, help="entities looked at (default 10)")
    parser.add_argument(
        "--label", action="append", default=[], help="only entities of this label; may be repeated"
    )
    parser.add_argument(
        "--kind",
        action="append",
        default=[],
        choices=("answer", "entity", "passage", "fact", "image", "part"),
        help="only evidence of this kind; may be repeated (default: all)",
    )
    add_granularity(parser, default="passage")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Assemble and print."""
    import sys

    from api.cli.encoding import catch_up
    from api.cli.printing import print_json
    from api.engine import Engine
    from api.retrieval.context import context_for

    with Engine.open(arguments.folder) as engine:
        catch_up(engine)
        found = context_for(
            engine,
            arguments.text,
            budget=arguments.budget,
            k=arguments.k,
            labels=arguments.label,
            kinds=arguments.kind,
            granularity=arguments.granularity,
        )
    if arguments.json:
        print_json(found)
        return 0
    print(found.text, end="")
    note = f"{found.tokens} of {found.budget} tokens, {found.left_out} lines left out"
    print(note, file=sys.stderr)
    return 0
