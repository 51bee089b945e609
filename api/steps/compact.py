"""The step that removes what a killed process or a newer version left and nothing can need.

Each removal stands alone: a kill between two leaves a folder that is whole, and the next run takes
the rest. What lies on the disk for less than an hour stays, since somebody may be making it.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.errors import ConflictError
from kg.files import STALE_S

if TYPE_CHECKING:
    from api.engine import Engine
    from api.workspace import Workspace

__all__ = ["MEANINGS", "Waste", "compact"]

MEANINGS = {
    "part": "a temporary file of a write that was killed",
    "words": "an index of words that a newer one has replaced",
    "output": "the output of a shard that was done again with another one",
    "restore": "what a restore laid out before it was killed",
    "load": "the database of a first load that was killed",
}
"""What each kind of waste is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waste:
    """Something that nothing can need.

    Attributes:
        kind: One of `MEANINGS`.
        path: Below the working folder.
        bytes: Of its files.
    """

    kind: str
    path: str
    bytes: int


def compact(engine: Engine, *, dry_run: bool = False) -> dict[str, Any]:
    """Remove what nothing can need from a working folder.

    Args:
        engine: Opened on the folder.
        dry_run: Only say what would go.

    Returns:
        ``removed``, as `Waste`, and the bytes of all files ``bytes_before`` and ``bytes_after``;
        of a dry run, what would be left.

    Raises:
        MissingPartError: There is no graph yet.
        ConflictError: A job runs; nothing was removed.
        OSError: Something cannot be removed.
    """
    workspace = engine.workspace
    workspace.require()
    _refuse_jobs(workspace)
    before = _bytes(workspace.folder)
    found = [
        Waste(kind=kind, path=str(path.relative_to(workspace.folder)), bytes=size)
        for kind, path, size in _swept(engine, remove=not dry_run)
    ]
    after = before - sum(one.bytes for one in found) if dry_run else _bytes(workspace.folder)
    return {
        "removed": [asdict(one) for one in found],
        "bytes_before": before,
        "bytes_after": after,
        "dry_run": dry_run,
    }


def _refuse_jobs(workspace: Workspace) -> None:
    from kg.ledger import Ledger
    from kg.ledger_sweep import jobs_at_work

    if not workspace.ledger.exists():
        return
    with Ledger(workspace.ledger) as ledger:
        if at_work := jobs_at_work(ledger):
            raise ConflictError(
                "a job runs",
                where=at_work[0],
                hint=f"wait for its end, or `umbra jobs pause {at_work[0]}`",
            )


def _swept(engine: Engine, *, remove: bool) -> Iterator[tuple[str, Path, int]]:
    """Iterate kind, path and bytes of what goes, and remove it on the way."""
    workspace = engine.workspace
    old = [("part", path) for path in _parts(workspace)]
    old += [("words", path) for path in _words(workspace)]
    old += [("restore", path) for path in _laid_out(workspace)]
    for kind, path in old:
        size = _bytes(path)
        if remove and path.is_dir():
            with suppress(FileNotFoundError):  # its search removed it meanwhile
                shutil.rmtree(path)
        elif remove:
            path.unlink(missing_ok=True)
        yield kind, path, size
    yield from _outputs(workspace, remove=remove)
    yield from _load(engine, remove=remove)


def _parts(workspace: Workspace) -> Iterator[Path]:
    """Iterate temporary files of `kg.files.atomic_write`; the engine's folder is its own."""
    for place, folders, names in os.walk(workspace.folder):
        if Path(place) == workspace.graph:
            folders[:] = [name for name in folders if name != "engine"]
        for name in sorted(names):
            path = Path(place) / name
            if name.startswith(".") and name.endswith(".part") and _is_old(path):
                yield path


def _words(workspace: Workspace) -> Iterator[Path]:
    """Iterate indexes of words that are not the current one; the next search wants no other."""
    from kg.full_text import folder_on_disk  # tantivy is slow to import

    current = folder_on_disk(workspace.words)
    for path in sorted(workspace.words.glob("index-*")):
        if path != current and _is_old(path):
            yield path


def _laid_out(workspace: Workspace) -> Iterator[Path]:
    """Iterate what was laid out by a restore that had not begun to write: it lays it out anew."""
    path = workspace.folder / "restoring"
    if path.is_dir() and not path.with_suffix(".json").exists() and _is_old(path):
        yield path


def _outputs(workspace: Workspace, *, remove: bool) -> Iterator[tuple[str, Path, int]]:
    from kg.ledger import Ledger
    from kg.ledger_sweep import sweep_outputs

    if workspace.ledger.exists():
        with Ledger(workspace.ledger) as ledger:
            for path, size in sweep_outputs(ledger, remove=remove):
                yield "output", path, size


def _load(engine: Engine, *, remove: bool) -> Iterator[tuple[str, Path, int]]:
    from api.opened_store import launcher_of
    from kg.backends.embedded import EmbeddedLink
    from kg.backends.unfinished import unfinished_load

    workspace = engine.workspace
    if engine.settings.store != "embedded" or not (workspace.graph / "store.json").exists():
        return
    link = EmbeddedLink(workspace.graph, config=launcher_of(engine.settings))
    link.connect()
    try:
        if found := unfinished_load(link, remove=remove):
            yield ("load", *found)
    finally:
        link.close()


def _is_old(path: Path) -> bool:
    """Tell whether nothing in a place was written for an hour."""
    long_ago = time.time() - STALE_S
    return all(told.st_mtime < long_ago for told in _told(path))


def _bytes(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    return sum(told.st_size for told in _told(path) if stat.S_ISREG(told.st_mode))


def _told(path: Path) -> Iterator[os.stat_result]:
    """Iterate what the disk tells of a place and all in it; what goes meanwhile is left out."""
    inside = (Path(place) / n for place, dirs, names in os.walk(path) for n in (*dirs, *names))
    for one in chain((path,), inside):
        with suppress(FileNotFoundError):
            yield one.lstat()
