"""Conflicts of texts and pictures as the last `umbra scenes check` found them, kept to be read.

To find them takes an encoder and a fit over the whole collection; to read them takes a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from api.check_schemas import TextFlagOut
from kg.errors import ForeignFileError
from kg.files import read_json, write_json

if TYPE_CHECKING:
    from api.workspace import Workspace

__all__ = ["KeptChecks", "keep_checks", "kept_checks"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class KeptChecks:
    """What a run found.

    Attributes:
        version: Of the store that it ran on.
        flags: By entity, for each that was checked; empty where nothing was in conflict.
    """

    version: int
    flags: Mapping[str, tuple[TextFlagOut, ...]]


def keep_checks(
    workspace: Workspace, version: int, checked: Sequence[str], flags: Sequence[TextFlagOut]
) -> None:
    """Keep what a run found in place of what the run before found."""
    found: dict[str, list[object]] = {key: [] for key in checked}
    for flag in flags:
        found[flag.entity].append(flag.model_dump(mode="json"))
    write_json(workspace.checks, {"format": FORMAT, "version": version, "flags": found})


def kept_checks(workspace: Workspace) -> KeptChecks | None:
    """Return what the last run found; None if there was none.

    Raises:
        ForeignFileError: The file is none of ours.
    """
    try:
        state = workspace.checks.stat()
    except FileNotFoundError:
        return None
    return _read(workspace.checks, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int, _size: int) -> KeptChecks:
    kept = read_json(path, kind="checks of texts", formats=(FORMAT,))
    try:
        flags = {
            str(key): tuple(TextFlagOut.model_validate(row) for row in rows)
            for key, rows in kept["flags"].items()
        }
        return KeptChecks(version=int(kept["version"]), flags=flags)
    except (KeyError, TypeError, AttributeError, ValueError, ValidationError) as error:
        raise ForeignFileError(
            "not the checks of texts", where=str(path), hint="run `umbra scenes check` again"
        ) from error
