"""`umbra mcp`: the graph as tools for an agent, over the standard streams."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra mcp --folder world/.umbra

An agent starts this command and speaks the Model Context Protocol with it over stdin and stdout.
Its tools read: schema, search, suggest, context, entity, neighbours, ask, read_question, cypher and
link_text; --write-as adds decide_fact. In a client's settings:

  {"mcpServers": {"umbra": {"command": "umbra", "args": ["mcp", "--folder", "/path/to/.umbra"]}}}
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "mcp",
        parents=[common],
        help="serve the graph to an agent (Model Context Protocol)",
        description="Serve the graph to an agent by the Model Context Protocol.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--snapshot", default="full", help="which snapshot (default full)")
    parser.add_argument(
        "--write-as",
        metavar="NAME",
        help="let the agent accept and reject single edges too, under this name",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until the agent closes the stream.

    Raises:
        MissingPartError: There is no graph, or the SDK of the protocol is not installed.
    """
    import logging

    from api.engine import Engine
    from kg.errors import MissingPartError

    try:
        from api.mcp_server import graph_tools
    except ImportError as error:
        raise MissingPartError(
            "the SDK of the Model Context Protocol is missing", hint="pip install 'umbra-kg[mcp]'"
        ) from error

    logging.getLogger("neo4j").setLevel(logging.WARNING)
    with Engine.open(arguments.folder, snapshot=arguments.snapshot) as engine:
        engine.workspace.require()
        graph_tools(engine, writes_as=arguments.write_as).run("stdio")
    return 0
