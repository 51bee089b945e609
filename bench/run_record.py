"""What every result of a bench begins with, and how a result and its page are kept."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from evaluation import current_commit, this_machine
from kg.files import write_json

__all__ = ["keep", "run_record"]


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
