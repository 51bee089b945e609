"""`umbra doctor`: is everything here that Umbra needs, and if not, what to do."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra doctor
  umbra doctor --json

Exit code 1 if a check fails.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "doctor",
        parents=[common],
        help="check the installation and the working folder",
        description="Check the installation and the working folder.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run all checks and print them."""
    from dataclasses import asdict

    from api.cli.printing import print_json, print_rows
    from api.engine import Engine
    from api.inspection import diagnose

    with Engine.open(arguments.folder) as engine:
        checks = diagnose(engine)
    if arguments.json:
        print_json([asdict(check) for check in checks])
    else:
        rows = [("ok" if c.ok else "FAILED", c.name, c.found, c.hint or "") for c in checks]
        print_rows(("", "check", "found", "what to do"), rows)
    return 0 if all(check.ok for check in checks) else 1
