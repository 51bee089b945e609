"""Files that survive a crash: temporary file, fsync, rename; and content hashes."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from kg.errors import ForeignFileError, FormatVersionError

__all__ = [
    "STALE_S",
    "atomic_write",
    "read_json",
    "refuse_special",
    "sha256_of_file",
    "sha256_of_text",
    "write_json",
    "write_json_lines",
]

STALE_S = 3_600.0
"""Age from which a temporary file is taken for one that a killed process left."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""No space on the disk, none left to the user, none allowed in one file."""


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that replaces `path` only when the block ends without an error.

    Args:
        path: The file to write; its folder is made if it is missing.

    Yields:
        A binary file in the same folder.

    Raises:
        ForeignFileError: A device or a pipe stands there: none is ever replaced.
        OSError: The disk is full, or the folder may not be written to; `filename` is `path`.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "a.txt"
        >>> with atomic_write(target) as file:
        ...     _ = file.write(b"whole or not at all")
        >>> target.read_bytes()
        b'whole or not at all'
    """
    refuse_special(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        error.filename = str(path)  # the name that the caller knows
        raise
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
        _sync_folder(path.parent)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError) and (
            error.filename == name or (error.errno in FULL and error.filename is None)
        ):
            error.filename = str(path)  # a write by handle does not know which file it was
        raise


def refuse_special(path: Path) -> None:
    """Refuse a path at which nothing may be replaced by a file.

    A device or a pipe would be lost for everybody; so would one of the links below ``/dev`` and
    ``/proc``, which stand for an open file. (A folder is never replaced by a file.)

    Raises:
        ForeignFileError: Such a thing stands there.
    """
    link = path.is_symlink() and path.absolute().parts[1] in ("dev", "proc")
    if link or (path.exists() and not (path.is_file() or path.is_dir())):
        raise ForeignFileError(
            "no file, and only a file is replaced",
            where=str(path),
            hint="name a file; what is to go through a pipe is read from it afterwards",
        )


def _sweep(path: Path) -> None:
    """Delete what a killed process left of an earlier attempt to write the same file."""
    long_ago = time.time() - STALE_S
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with suppress(OSError):
            if part.stat().st_mtime < long_ago:
                part.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, atomically, keys sorted."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    with atomic_write(path) as file:
        file.write(text.encode() + b"\n")


def write_json_lines(path: Path, rows: Iterable[Any]) -> None:
    """Write each row as a line of JSON, atomically, keys in their order."""
    with atomic_write(path) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def read_json(path: Path, *, kind: str, formats: tuple[int, ...] = ()) -> dict[str, Any]:
    """Read a JSON object that Umbra wrote.

    Args:
        path: The file.
        kind: What it should be, for the message.
        formats: Format numbers that are read; empty where the file carries none.

    Raises:
        ForeignFileError: The file is not such an object.
        FormatVersionError: Its format number is another.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ForeignFileError(
            f"not a {kind}", where=str(path), hint="move the file away and run the command again"
        ) from error
    if not isinstance(value, dict):
        raise ForeignFileError(f"not a {kind}", where=str(path), hint="move the file away")
    if formats and value.get("format") not in formats:
        raise FormatVersionError(
            f"a {kind} of format {value.get('format')!r}, this version reads {formats}",
            where=str(path),
            hint="make it again with the command that wrote it",
        )
    return value


def sha256_of_file(path: Path) -> str:
    """Return the hex digest of a file's bytes, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_text(text: str) -> str:
    """Return the hex digest of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
