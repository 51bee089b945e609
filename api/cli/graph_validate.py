"""`umbra graph validate`: the graph held to a schema or to shapes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra graph validate --schema world-schema.toml
  umbra graph validate --shapes shapes.ttl --json

Schemas and shapes: docs/schema.md. Exit code 2 if anything breaks a rule.
"""


def add_parser(actions: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    one = actions.add_parser(
        "validate",
        parents=[common],
        help="find what breaks a schema or shapes",
        description="Find what breaks a schema (TOML) or shapes (SHACL in Turtle).",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("--schema", type=Path, help="labels, relations and their rules (TOML)")
    one.add_argument("--shapes", type=Path, help="SHACL shapes (Turtle)")
    one.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check, and print what was found."""
    from api.cli.printing import print_json
    from api.engine import Engine
    from api.steps.validate_graph import check_stored
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
        print(f"graph validate: {len(findings)} findings")
    return 2 if findings else 0
