"""`umbra cypher`: read-only Cypher on the store."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.query_limits import add_limits

if TYPE_CHECKING:
    from api.schemas import TableOut

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra cypher "MATCH (c:Country) RETURN c.name AS name ORDER BY name LIMIT 3"
  umbra cypher "EXPLAIN MATCH (c:Country {key: 'country:TR'}) RETURN c"
  umbra cypher --format graph "MATCH (a:Country)-[r:borders]->(b) RETURN a, r, b LIMIT 3"
  umbra cypher --parameters '{"n": 3}' "MATCH (c:Country) RETURN c.name LIMIT $n"

An Arrow file holds nodes, edges, paths and maps as JSON texts; its fields say so.
Writing, reading of files and administration are refused with exit code 2.
"""

FORMATS = ("table", "json", "graph", "arrow")
ARROW_HINT = "give arrow an --output, and table none: it goes to the terminal"


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
    parser.add_argument("--parameters", default="{}", help="JSON object of parameters (default {})")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="table (default), json (as --json), graph (nodes and edges of the result as JSON), "
        "arrow (an Arrow file)",
    )
    parser.add_argument("--output", type=Path, help="file to write to; arrow needs one")
    add_limits(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the query and print its rows."""
    import sys

    from api.cli.printing import print_table
    from api.engine import Engine
    from kg.errors import InputError

    text = sys.stdin.read() if arguments.query == "-" else arguments.query
    form = arguments.format or ("json" if arguments.json else "table")
    if (form == "arrow" and arguments.output is None) or (form == "table" and arguments.output):
        raise InputError(f"--format {form} and --output do not go together", hint=ARROW_HINT)
    limits = {"timeout_s": arguments.timeout_s, "max_rows": arguments.max_rows}
    with Engine.open(arguments.folder) as engine:
        table = engine.cypher(text, _parameters(arguments.parameters), **limits)
    if form == "table":
        print_table(table)
        return 0
    if table.truncated:
        print(f"cut at {len(table.rows)} rows (--max-rows)", file=sys.stderr)
    _write(table, form, arguments.output)
    return 0


def _parameters(text: str) -> dict[str, Any]:
    import json

    from kg.errors import InputError

    try:
        parameters = json.loads(text)
        if not isinstance(parameters, dict):
            raise TypeError
    except (ValueError, TypeError) as error:
        raise InputError("--parameters is not a JSON object", where="--parameters") from error
    return parameters


def _write(table: TableOut, form: str, output: Path | None) -> None:
    """Write a result as JSON, as a graph or as an Arrow file."""
    import json

    from api.cli.printing import print_json
    from kg.files import atomic_write
    from kg.query_results import arrow_of, graph_of

    if form == "arrow" and output is not None:
        import pyarrow as pa  # type: ignore[import-untyped]

        rows = arrow_of(table)
        with atomic_write(output) as file, pa.ipc.new_file(file, rows.schema) as writer:
            writer.write_table(rows)
        return
    value = graph_of(table) if form == "graph" else table.model_dump(mode="json")
    if output is None:
        print_json(value)
    else:
        with atomic_write(output) as file:
            file.write(json.dumps(value, ensure_ascii=False, indent=2).encode())
