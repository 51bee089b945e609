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
    from dataclasses import asdict

    from api.cli.printing import print_json, print_outcome, print_rows
    from api.engine import Engine
    from kg.backends.bolt import BoltStore
    from kg.errors import InputError, MissingPartError
    from kg.launcher import store_status

    with Engine.open(arguments.folder) as engine:
        if engine.settings.store == "embedded" and not store_status(engine.workspace.graph).running:
            running = []  # nothing is started only to see that nothing runs
        elif not isinstance(engine.store, BoltStore):
            raise MissingPartError("this store has no queries that could be listed")
        elif arguments.action == "end" and engine.store.end_query(arguments.id):
            print_outcome("query", {"ended": arguments.id}, as_json=arguments.json)
            return 0
        else:
            running = engine.store.running_queries()
    if arguments.action == "end":
        raise InputError(f"no query {arguments.id!r:.80} runs", hint="see `umbra queries list`")
    if arguments.json:
        print_json([asdict(query) for query in running])
    else:
        rows = [
            (q.id, q.user, f"{q.elapsed_s:.1f} s", q.text.partition("\n// umbra:")[0])
            for q in running
        ]
        print_rows(("id", "role", "since", "query"), rows)
    return 0
