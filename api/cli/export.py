"""`umbra export`: the whole graph into a file, in a format of your choice."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra export world.ttl
  umbra export world.jsonl.gz
  umbra export world.xml --format rdf-xml

The formats, and what each loses: docs/formats.md. `umbra build FILE` reads what this writes.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "export",
        parents=[common],
        help="write the graph to a file",
        description="Write the graph to a file, which appears only when it is whole.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", type=Path, help="file to write; its name tells the format")
    parser.add_argument("--format", help="name of the format, if the file's name does not tell")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the file."""
    from api.cli.printing import print_outcome, progress_bar
    from api.engine import Engine
    from api.steps.export import export_graph

    with Engine.open(arguments.folder) as engine, progress_bar("writing the graph") as progress:
        outcome = export_graph(engine, arguments.out, arguments.format, progress=progress)
    print_outcome("export", outcome, as_json=arguments.json)
    return 0
