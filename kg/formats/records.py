"""What a format reader yields: a record, or a reject that says why there is none."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from kg.errors import RecordError

__all__ = [
    "MAX_LINE_BYTES",
    "Record",
    "Reject",
    "count_lines",
    "is_packed",
    "lines",
    "packed_hint",
    "readable",
]

MAX_LINE_BYTES = 4 * 2**20
"""Default limit on one line, or one row over several lines; a longer one is a reject."""

KEPT_TEXT = 2_000
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of a file.

    Attributes:
        line: 1-based line on which it starts.
        fields: Its values by name.
        text: The row as it stands in the file.
    """

    line: int
    fields: Mapping[str, Any]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """One row, or one part of a row, that could not be taken.

    Attributes:
        file: Name of the file.
        line: 1-based line on which the row starts.
        column: The field to blame, if one is.
        reason: What is wrong.
        text: The row as it stands in the file, cut to 2,000 characters.
    """

    file: str
    line: int
    column: str | None
    reason: str
    text: str

    def __post_init__(self) -> None:
        """Cut the text, and replace what UTF-8 cannot hold."""
        whole = self.text[:KEPT_TEXT].encode("utf-8", "replace").decode()
        object.__setattr__(self, "text", whole)

    def to_json(self) -> str:
        """Return the reject as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


def is_packed(path: Path) -> bool:
    """Tell whether a file is compressed by gzip: by its name, or by how it begins.

    Raises:
        OSError: It cannot be read.
    """
    named = path.suffix.lower() == ".gz"
    if named or not path.is_file():
        return named
    with path.open("rb") as file:
        return file.read(len(_GZIP)) == _GZIP


def packed_hint(error: Exception) -> str | None:
    """Return what to do about a packed file that cannot be read; None where packing is no cause."""
    if isinstance(error, gzip.BadGzipFile) and "Not a gzipped file" in str(error):
        return "it is not packed: name it without .gz"
    broken = isinstance(error, EOFError | gzip.BadGzipFile | zlib.error)
    return "copy or download the file again" if broken else None


@contextmanager
def readable(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, unpacked if it is packed by gzip.

    Raises:
        RecordError: It is missing or not readable; or, while reading, it is found damaged.
    """
    try:
        with gzip.open(path, "rb") if is_packed(path) else path.open("rb") as file:
            yield file  # type: ignore[misc]
    except FileNotFoundError as error:
        raise RecordError("no such file", path=str(path)) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise RecordError(f"damaged: {error}", path=str(path), hint=packed_hint(error)) from error
    except OSError as error:
        raise RecordError(f"not readable: {error.strerror}", path=str(path)) from error


def lines(file: IO[bytes], max_bytes: int) -> Iterator[tuple[int, bytes | None]]:
    """Yield the 1-based number and the bytes of each line, None for one that is too long.

    Memory stays below twice `max_bytes` whatever the file holds.
    """
    number = 0
    while line := file.readline(max_bytes + 1):
        number += 1
        if len(line) <= max_bytes or line.endswith(b"\n"):
            yield number, line
            continue
        while (rest := file.readline(max_bytes)) and not rest.endswith(b"\n"):
            pass
        yield number, None


def count_lines(path: Path) -> int:
    """Return how many lines a file has; the last one need not end.

    Raises:
        RecordError: It is missing or damaged.
    """
    count, last = 0, b"\n"
    with readable(path) as file:
        while block := file.read(2**20):
            count += block.count(b"\n")
            last = block[-1:]
    return count + (last != b"\n")
