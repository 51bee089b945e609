"""`umbra cypher`: read-only Cypher on the store."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra cypher "MATCH (c:Country) RETURN c.name AS name ORDER BY name LIMIT 3"
  umbra cypher --parameters '{"n": 3}' "MATCH (c:Country) RETURN c.name LIMIT $n"

Writing, reading of files and administration are refused with exit code 2.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "cypher",
        parents=[common],
        help="run read-only Cypher on the graph",
        description="Run read-only Cypher on the graph.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("query", help="the query; - reads it from stdin")
    parser.add_argument("--parameters", default="{}", help="JSON object of parameters")
    parser.add_argument("--timeout-s", type=float, help="seconds it may take")
    parser.add_argument("--max-rows", type=int, help="rows it may return")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the query and print its rows."""
    import json
    import sys

    from api.cli.printing import print_json, print_table
    from api.engine import Engine
    from kg.errors import InputError

    text = sys.stdin.read() if arguments.query == "-" else arguments.query
    try:
        parameters = json.loads(arguments.parameters)
        if not isinstance(parameters, dict):
            raise TypeError
    except (ValueError, TypeError) as error:
        raise InputError("--parameters is not a JSON object", where="--parameters") from error
    limits = {"timeout_s": arguments.timeout_s, "max_rows": arguments.max_rows}
    with Engine.open(arguments.folder) as engine:
        table = engine.cypher(text, parameters, **limits)
    if arguments.json:
        print_json(table)
    else:
        print_table(table)
    return 0
