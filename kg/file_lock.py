"""Locks between processes: files under `flock`, which a killed holder lets go by itself."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kg.errors import StoreTransientError

__all__ = ["file_lock", "locked"]


@contextmanager
def file_lock(path: Path, *, timeout_s: float) -> Iterator[None]:
    """Hold an exclusive lock between processes and threads; a killed holder lets go.

    Raises:
        StoreTransientError: Another holder kept it for `timeout_s`.
    """
    handle = locked(path, fcntl.LOCK_EX, timeout_s)
    try:
        yield
    finally:
        os.close(handle)


def locked(path: Path, how: int, timeout_s: float) -> int:
    """Return the handle of a file under a lock; closing it lets the lock go.

    Args:
        path: The file; it is made if it is missing, its folder is not.
        how: ``fcntl.LOCK_EX`` or ``fcntl.LOCK_SH``.
        timeout_s: Seconds to wait for other holders.

    Raises:
        StoreTransientError: Another holder kept it for `timeout_s`.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end, pause = time.monotonic() + timeout_s, 0.0005
        while True:
            try:
                fcntl.flock(handle, how | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    raise StoreTransientError(
                        "another process keeps the store's lock",
                        where=str(path),
                        hint="try again when it has finished",
                    ) from None
                time.sleep(pause)
                pause = min(pause * 1.5, 0.02)
            else:
                return handle
    except BaseException:
        os.close(handle)
        raise
