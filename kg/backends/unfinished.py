"""What a killed first load left in the engine: a database that never took the graph's place."""

from __future__ import annotations

import shutil
from pathlib import Path

from kg.backends.embedded import EmbeddedLink
from kg.errors import StoreTransientError
from kg.file_lock import file_lock

__all__ = ["unfinished_load"]


def unfinished_load(link: EmbeddedLink, *, remove: bool) -> tuple[Path, int] | None:
    """Find what a killed load left, and perhaps remove it; the next first load would, too.

    Args:
        link: Connected.
        remove: Remove it; without this nothing is changed.

    Returns:
        Its folder and bytes; None where nothing is left, somebody loads right now, or the load was
        whole and is about to take its place.

    Raises:
        StoreError: The engine refused.
    """
    swap = link.swap
    folder = link.folder / "engine" / "databases" / swap.newer
    if not folder.is_dir():
        return None
    try:
        with file_lock(link.load_lock, timeout_s=0):
            if swap.begun:
                return None
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            if remove:
                swap.drop(link.http, swap.newer)
                shutil.rmtree(folder, ignore_errors=True)  # the engine did not know it
    except StoreTransientError:
        return None
    return folder, size
