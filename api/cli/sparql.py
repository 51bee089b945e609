"""`umbra sparql`: SPARQL queries on the graph."""

from __future__ import annotations

import argparse
from typing import Any

from api.cli.query_limits import add_limits

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra sparql "PREFIX a: <urn:umbra:attribute:> SELECT ?name { ?x a:name ?name } LIMIT 3"
  umbra sparql "DESCRIBE <urn:umbra:entity:country:TR>"
  umbra sparql --format text/csv - < question.rq

How the graph looks as RDF: docs/formats.md. Updates and SERVICE are refused with exit code 2.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "sparql",
        parents=[common],
        help="run a SPARQL query on the graph",
        description="Run SELECT, ASK, CONSTRUCT or DESCRIBE on the graph.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("query", help="the query; - reads it from stdin")
    parser.add_argument(
        "--format",
        help="media type, as text/csv or text/turtle (default: tab-separated values; of triples "
        "Turtle)",
    )
    add_limits(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the query and print its answer."""
    import sys

    from api.engine import Engine
    from api.held_sparql import HeldSparql
    from kg.errors import InputError
    from kg.sparql.media import GRAPHS, RESULTS, acceptable

    text = sys.stdin.read() if arguments.query == "-" else arguments.query
    wanted = arguments.format or ("application/sparql-results+json" if arguments.json else None)
    rows = "text/tab-separated-values" if wanted is None else acceptable(wanted, RESULTS)
    triples = acceptable("application/ld+json" if arguments.json else wanted, GRAPHS)
    with Engine.open(arguments.folder) as engine, HeldSparql(engine) as held:
        limits = engine.settings
        answer = held.query(
            text,
            result=rows,
            graph=triples,
            timeout_s=min(arguments.timeout_s or limits.timeout_s, limits.timeout_s),
            max_rows=min(arguments.max_rows or limits.max_rows, limits.max_rows),
        )
    if answer.media is None:
        raise InputError(
            f"the answer cannot be written as {wanted}",
            hint=f"take one of {', '.join((*RESULTS, *GRAPHS))}",
        )
    print(answer.body.decode().rstrip("\n"))
    return 0
