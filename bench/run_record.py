"""What every result of a bench begins with, and how a result and its page are kept."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from evaluation import current_commit, this_machine
from kg.files import write_json

__all__ = ["keep", "run_record", "seeded_arguments"]


def seeded_arguments(
    about: str, argv: Sequence[str] | None, *, count: str, default: int
) -> tuple[argparse.Namespace, list[str]]:
    """Read the arguments of a bench that draws so many things from a seed.

    Args:
        about: The bench's docstring.
        argv: Its arguments; those of the process if None.
        count: What is drawn: the name of the option that says how many.
        default: How many, if nothing is said.

    Returns:
        The arguments with ``count``, ``seed`` and ``out``, and their texts.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument(f"--{count}", dest="count", type=int, default=default)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder of the JSON and the page")
    given = list(sys.argv[1:] if argv is None else argv)
    return parser.parse_args(given), given


def run_record(module: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Return command, commit, date and machine of a run.

    Args:
        module: Name of the bench's module.
        arguments: The arguments that it was given.
    """
    machine = this_machine()
    return {
        "command": shlex.join(["python", "-m", module, *arguments]),
        "commit": current_commit(),
        "date": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
        "machine": {"cores": machine.cores, "memory_gb": machine.memory_gb},
    }


def keep(
    result: dict[str, Any], page: Callable[[dict[str, Any]], str], *, folder: Path | None, name: str
) -> None:
    """Print a result's page and, if there is a folder, write it there beside the result as JSON."""
    print(page(result))
    if folder is not None:
        write_json(folder / f"{name}.json", result)
        (folder / f"{name}.md").write_text(page(result), encoding="utf-8")
