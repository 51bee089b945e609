"""`umbra queries`: the queries that run on the store now."""

from __future__ import annotations

import argparse
from typing import Any

from api.cli.actions import add_actions

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra queries list
  umbra queries end q1-42

Every client's queries are shown. An ended query fails for its caller with a time-out.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("queries", help="the queries that run on the store now")
    action = add_actions(parser, common, examples=EXAMPLES, run=run)
    action("list", "list the queries that run now")
    action("end", "end a query that runs").add_argument(
        "id", help="the query, as `umbra queries list` calls it"
    )


def run(arguments: argparse.Namespace) -> int:
    """List the running queries, or end one."""
    from api.cli.printing import print_json, print_outcome, print_rows
    from api.engine import Engine
    from api.running_queries import end_query, running_queries
    from kg.errors import InputError

    with Engine.open(arguments.folder) as engine:
        if arguments.action == "end":
            if not end_query(engine, arguments.id):
                raise InputError(
                    f"no query {arguments.id!r:.80} runs", hint="see `umbra queries list`"
                )
            print_outcome("query", {"ended": arguments.id}, as_json=arguments.json)
            return 0
        found = running_queries(engine).queries
    if arguments.json:
        print_json([query.model_dump() for query in found])
    else:
        rows = [(q.id, q.user, f"{q.elapsed_s:.1f} s", q.text) for q in found]
        print_rows(("id", "role", "since", "query"), rows)
    return 0
