"""`umbra ask`: a question over what is known and what is likely."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra ask "MATCH (c:Country)-[:speaks]->(:Language {name: 'Arabic'}) RETURN c" --k 5
  umbra ask --json "MATCH (c:Country)-[:borders]->(:Country {name: 'Chad'}) RETURN c"

The question is a text of the Cypher fragment (docs/notations.md) or a tree in JSON.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "ask",
        parents=[common],
        help="ask a question: known and likely answers, and why",
        description="Ask a question over what is known and what is likely.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("question", help="Cypher fragment or JSON; - reads it from stdin")
    parser.add_argument("--k", type=int, default=10, help="most answers (default 10)")
    parser.add_argument(
        "--answerer",
        choices=("symbolic", "rough", "cone", "exact"),
        default="symbolic",
        help="who answers (default symbolic)",
    )
    parser.add_argument("--snapshot", default="full", help="which snapshot (default full)")
    parser.add_argument("--why", type=int, default=3, help="proofs shown of each kind (default 3)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask and print."""
    import sys

    from api.cli.printing import print_answers, print_json
    from api.engine import Engine

    question = sys.stdin.read() if arguments.question == "-" else arguments.question
    with Engine.open(arguments.folder, snapshot=arguments.snapshot) as engine:
        answers = engine.ask(question, k=arguments.k, answerer=arguments.answerer)
    if arguments.json:
        print_json(answers)
    else:
        print_answers(answers, why=arguments.why)
    return 0
