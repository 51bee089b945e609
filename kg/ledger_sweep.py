"""Outputs of the ledger that no shard names any more, and which jobs are at work now.

An output loses its shard when the shard is freed and done again with other bytes. A kill between
two removals leaves the rest for the next time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

from kg.files import STALE_S
from kg.ledger import Ledger

__all__ = ["jobs_at_work", "sweep_outputs"]

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


def jobs_at_work(ledger: Ledger) -> list[str]:
    """Return the ids of the jobs of which a living worker holds a shard."""
    return [job.id for job in ledger.jobs() if ledger.at_work(job.id)]


def sweep_outputs(ledger: Ledger, *, remove: bool) -> list[tuple[Path, int]]:
    """Find the outputs that no shard names, and perhaps remove them.

    Younger ones than an hour stay: a worker writes an output before it says whose it is. One that
    says so of an older file while this runs waits, and writes the file again if it is gone.

    Args:
        ledger: Whose outputs.
        remove: Remove them; without this nothing is changed.

    Returns:
        Each with its bytes.

    Raises:
        JobError: Another process keeps the ledger.
    """
    with ledger.alone():
        named = {shard.sha256 for job in list(ledger.jobs()) for shard in ledger.shards(job.id)}
        found = [(path, size) for path, size in _old(ledger.outputs) if path.name not in named]
        if remove:
            for path, _ in found:
                path.unlink(missing_ok=True)
    return found


def _old(folder: Path) -> Iterator[tuple[Path, int]]:
    """Iterate the old outputs in a folder, in which other files may lie too, with their bytes."""
    long_ago = time.time() - STALE_S
    for path in sorted(folder.glob("??/*")):
        if _DIGEST.match(path.name) and path.parent.name == path.name[:2] and path.is_file():
            told = path.stat()
            if told.st_mtime < long_ago:
                yield path, told.st_size
