"""`umbra build`: a graph from files, by a declared mapping or in a format of whole graphs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra build examples/countries/graph.toml --estimate
  umbra build examples/countries/graph.toml --max-errors 10
  umbra build people.csv --propose > graph.toml
  umbra build graph.toml --dry-run
  umbra build world.ttl.gz
  umbra build dump.xml --format rdf-xml
  umbra build neo4j-export/
  umbra build FB15k-237/

Rows that cannot be taken land in rejects/ of the working folder with file, line and reason.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "build",
        parents=[common],
        help="build the graph from files",
        description=(
            "Build the graph from files: by a declared mapping (docs/mapping.md), or from a file "
            "that holds a whole graph (docs/formats.md)."
        ),
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="mapping (TOML), or the file or folder of a graph")
    parser.add_argument("--format", help="name of the graph's format, if name and content mislead")
    parser.add_argument(
        "--schema", type=Path, help="write only if all rows fit this schema (docs/schema.md)"
    )
    parser.add_argument("--max-errors", type=int, help="end after so many rejects")
    parser.add_argument(
        "--propose",
        action="store_true",
        help="print a mapping for a table, types inferred; write nothing",
    )
    parser.add_argument("--estimate", action="store_true", help="say the cost, do nothing")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="read all rows: say what would be written, of which types, and what rejected",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Build, or say what building would cost."""
    from api.cli.printing import print_estimate, print_outcome, progress_bar
    from api.engine import Engine
    from api.steps.build import build_graph, estimate_build

    if arguments.propose:
        from kg.mapping_proposal import propose_mapping

        print(propose_mapping(arguments.file), end="")
        return 0
    if arguments.estimate:
        print_estimate(estimate_build(arguments.file), as_json=arguments.json)
        return 0
    if arguments.dry_run:
        return _dry_run(arguments)
    with Engine.open(arguments.folder) as engine, progress_bar("building the graph") as progress:
        outcome = build_graph(
            engine,
            arguments.file,
            format_name=arguments.format,
            schema=arguments.schema,
            max_errors=arguments.max_errors,
            progress=progress,
        )
    print_outcome("graph", outcome, as_json=arguments.json)
    return 0


def _dry_run(arguments: argparse.Namespace) -> int:
    """Print what a build would write and reject."""
    from api.cli.printing import print_json, print_rows, print_types, progress_bar
    from api.engine import Engine
    from api.steps.build import dry_run_build
    from kg.attribute_types import SeenAttribute

    with Engine.open(arguments.folder) as engine, progress_bar("reading all rows") as progress:
        found = dry_run_build(
            engine,
            arguments.file,
            format_name=arguments.format,
            schema=arguments.schema,
            progress=progress,
        )
    if arguments.json:
        print_json(found)
        return 0
    kinds = ("entities", "edges")
    counts = [(kind, name, f"{n:,}") for kind in kinds for name, n in sorted(found[kind].items())]
    print_rows(("what", "label or relation", "rows"), counts)
    if found["attributes"]:
        print()
        print_types(SeenAttribute(**one) for one in found["attributes"])
    print()
    print(f"{found['rejected']:,} rejects, each a row or a part of one")
    for one in found["rejects"]:
        column = f" {one['column']}:" if one["column"] else ""
        print(f"  {one['file']}:{one['line']}:{column} {one['reason']}")
    if found["keys"] is None:
        print("there are too many keys to say whether every edge has both its ends")
    print("nothing was written")
    return 0
