"""`umbra graph`: the graph held to rules."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra graph check --schema world-schema.toml
  umbra graph check --shapes shapes.ttl --json

Schemas and shapes: docs/schema.md. Exit code 2 if anything breaks a rule.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "graph",
        help="hold the graph to rules",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    below = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    check = below.add_parser(
        "check",
        parents=[common],
        help="find what breaks a schema or shapes",
        description="Find what breaks a schema (TOML) or shapes (SHACL in Turtle).",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("--schema", type=Path, help="labels, relations and their rules (TOML)")
    check.add_argument("--shapes", type=Path, help="SHACL shapes (Turtle)")
    check.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check, and print what was found."""
    from api.cli.printing import print_json
    from api.engine import Engine
    from api.steps.graph_check import check_stored
    from kg.errors import SettingError

    if arguments.schema is None and arguments.shapes is None:
        raise SettingError("nothing to check", hint="name --schema FILE, --shapes FILE, or both")
    with Engine.open(arguments.folder) as engine:
        findings = check_stored(engine, schema=arguments.schema, shapes=arguments.shapes)
    if arguments.json:
        print_json({"findings": [finding.to_dict() for finding in findings]})
    else:
        for finding in findings:
            print(f"{finding.where}: {finding.reason} ({finding.rule})")
        print(f"graph check: {len(findings)} findings")
    return 2 if findings else 0
