"""The file under a review: JSON lines, appended and never changed, safe against any kill.

A line counts once its end of line is there; what a killed writer left of one is cut off by the next
writer. One process writes at a time, however many read.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kg.errors import ForeignFileError, FormatVersionError

__all__ = ["FORMAT", "Journal"]

FORMAT = 1
_KIND = "umbra review"
_HINT = "move the file away; decisions are kept in it alone"


class Journal:
    """An append-only file of JSON objects.

    Args:
        path: The file; it is made by the first writer.

    Raises:
        ForeignFileError: Something else lies there.
        FormatVersionError: It has another format number.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0  # bytes whose lines were returned
        self._lines = 0
        self._lock = threading.RLock()
        self._depth = 0

    def news(self) -> list[dict[str, Any]]:
        """Return the entries that came since the last call, whole lines only."""
        with self._lock:
            try:
                with self.path.open("rb") as file:
                    file.seek(self._read)
                    data = file.read()
            except FileNotFoundError:
                return []
            except OSError as error:
                raise ForeignFileError(
                    f"the review cannot be read: {error.strerror}", where=str(self.path)
                ) from error
            whole = data[: data.rfind(b"\n") + 1]
            found = [self._parsed(line) for line in whole.splitlines()]
            self._read += len(whole)
            return [entry for entry in found if entry is not None]

    def _parsed(self, line: bytes) -> dict[str, Any] | None:
        self._lines += 1
        where = f"{self.path}:{self._lines}"
        try:
            entry = json.loads(line)
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ForeignFileError("not a line of a review", where=where, hint=_HINT) from error
        if self._lines > 1:
            return dict(entry)
        if not isinstance(entry, dict) or entry.get("kind") != _KIND:
            raise ForeignFileError("not the file of a review", where=where, hint=_HINT)
        if entry.get("format") != FORMAT:
            raise FormatVersionError(
                f"a review of format {entry.get('format')!r}, this version reads {FORMAT}",
                where=where,
                hint=_HINT,
            )
        return None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Return a context in which no other thread or process writes; a killed one lets go."""
        with self._lock:
            if self._depth:  # within another such context of this thread
                yield
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
            finally:
                os.close(handle)

    def append(self, *entries: Mapping[str, Any]) -> None:
        """Write entries within `writing`; they are on the disk when this returns."""
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            size = os.fstat(handle).st_size
            whole = _whole(handle, size)
            if whole < size:
                os.ftruncate(handle, whole)
            rows = list(entries)
            if whole == 0:
                rows.insert(0, {"kind": _KIND, "format": FORMAT})
            lines = [json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows]
            data = "".join(f"{line}\n" for line in lines).encode()
            os.lseek(handle, 0, os.SEEK_END)
            while data:
                data = data[os.write(handle, data) :]
            os.fsync(handle)
        finally:
            os.close(handle)


def _whole(handle: int, size: int) -> int:
    """Return how many bytes of a file end with a whole line."""
    end, block = size, 65_536
    while end > 0:
        first = max(0, end - block)
        found = os.pread(handle, end - first, first).rfind(b"\n")
        if found >= 0:
            return first + found + 1
        end = first
    return 0
