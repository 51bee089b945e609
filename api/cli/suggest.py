"""`umbra suggest`: what to ask next, and how many results each of it leads to."""

from __future__ import annotations

import argparse
import json
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra suggest "island in the Pacific" --label Country
  umbra suggest --question "MATCH (c:Country)-[:speaks]->(:Language {name: 'Arabic'}) RETURN c"
  umbra suggest crescent --limit 3 --json

Each line is a fact that holds for some of what was found, and for how many. The JSON below it is
what to give to `umbra search --within`, or of a question what to ask next. For a question without
known answers, what to leave out of it.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "suggest",
        parents=[common],
        help="what to ask next, with the number of results",
        description="Find facts that part the hits of a search or the answers of a question.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("text", nargs="?", help="what to search for")
    parser.add_argument("--question", help="a question in any notation, instead of a search")
    parser.add_argument("--limit", type=int, default=5, help="most suggestions (default 5)")
    parser.add_argument(
        "--label", action="append", default=[], help="search only this label; may be repeated"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Suggest and print."""
    from api.cli.encoding import catch_up
    from api.cli.printing import print_json
    from api.engine import Engine
    from api.suggestions import suggest_for_question, suggest_for_search
    from kg.errors import InputError

    if (arguments.text is None) is (arguments.question is None):
        raise InputError("one of a text to search for and --question QUERY is needed")
    limit = arguments.limit
    with Engine.open(arguments.folder) as engine:
        if arguments.text is None:
            found = suggest_for_question(engine, arguments.question, limit=limit)
        else:
            catch_up(engine)
            found = suggest_for_search(engine, arguments.text, labels=arguments.label, limit=limit)
    if arguments.json:
        print_json(found)
        return 0
    print(f"{found.total} known results")
    for one in found.suggestions:
        print(f"{one.results:>6}  {one.text}  ({', '.join(one.examples)}, …)")
        print(f"        {json.dumps(one.query, ensure_ascii=False)}")
    if not found.suggestions:
        print("no fact parts them")
    return 0
