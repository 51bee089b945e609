"""`umbra keys`: the keys of the REST API: create, list, revoke."""

from __future__ import annotations

import argparse
from typing import Any

from api.cli.actions import add_actions

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra keys create "the dashboard" --scope read
  umbra keys create "the nightly links" --scope read --scope jobs
  umbra keys create "a guest" --scope read --rate 5 --parallel 2
  umbra keys list
  umbra keys revoke 1f3a9c20

A key is shown once, when it is made; its digest is kept. Scopes: read (ask and look), write (decide
and change the graph), jobs (run jobs and read what they wrote), admin (all). A server that began
without any key goes on without until it starts again; every other sees a change at once.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("keys", help="create, list and revoke keys of the REST API")
    action = add_actions(parser, common, examples=EXAMPLES, run=run)
    create = action("create", "make a key and show it once")
    create.add_argument("name", metavar="NAME", help="whose it is")
    create.add_argument(
        "--scope",
        action="append",
        default=[],
        help="read, write, jobs or admin; one at least; may be repeated",
    )
    create.add_argument(
        "--rate", type=float, help="requests a second, 0 for any number (default: as for all keys)"
    )
    create.add_argument(
        "--parallel",
        type=int,
        help="requests under way at a time, 0 for any number (default: same)",
    )
    create.add_argument(
        "--graph", action="append", default=[], help="graph of the server that it opens; may be"
        " repeated, `home` for the folder's own (default: that alone)",
    )  # fmt: skip
    action("list", "list the keys, oldest first; never the keys themselves")
    revoke = action("revoke", "take a key away")
    revoke.add_argument("id", metavar="ID", help="of the key, as `umbra keys list` shows it")


def run(arguments: argparse.Namespace) -> int:
    """Show or change the keys."""
    from dataclasses import asdict

    from api.access.keys import Key, KeyRing
    from api.cli.printing import print_json, print_outcome, print_rows
    from api.workspace import find_workspace

    workspace = find_workspace(arguments.folder)
    ring = KeyRing(workspace.keys)

    def shown(key: Key) -> dict[str, Any]:
        return {name: value for name, value in asdict(key).items() if name != "digest"}

    if arguments.action == "list":
        rows = [shown(key) for key in ring.keys]
        if arguments.json:
            print_json(rows)
        else:
            columns = ("id", "name", "scopes", "created")
            print_rows(
                columns,
                [[row["id"], row["name"], " ".join(row["scopes"]), row["created"]] for row in rows],
            )
        return 0
    if arguments.action == "create":
        workspace.require()
        key, text = ring.create(
            arguments.name,
            arguments.scope,
            rate=arguments.rate,
            parallel=arguments.parallel,
            graphs=arguments.graph,
        )
        print_outcome("key", {**shown(key), "key": text}, as_json=arguments.json)
    else:
        print_outcome("revoked", shown(ring.revoke(arguments.id)), as_json=arguments.json)
    return 0
