"""JSON Lines: one object a line, UTF-8, plain or ``.gz``.

A bad line is a reject, and reading goes on. Blank lines are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from kg.errors import RecordError
from kg.formats.records import MAX_LINE_BYTES, Record, Reject, lines, readable

__all__ = ["read_jsonl"]

BOM = b"\xef\xbb\xbf"


def read_jsonl(path: Path, *, max_line_bytes: int = MAX_LINE_BYTES) -> Iterator[Record | Reject]:
    r"""Yield the objects of a file, and a reject for each line that is none.

    Args:
        path: The file.
        max_line_bytes: Limit on one line.

    Raises:
        RecordError: The file is missing or damaged, or is not JSON Lines at all: it is binary, or
            one JSON array.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.jsonl"
        >>> _ = file.write_text('{"a": 1}\n{"a": \n')
        >>> [type(item).__name__ for item in read_jsonl(file)]
        ['Record', 'Reject']
    """
    with readable(path) as file:
        yield from _read(file, path, max_line_bytes)


def _read(file: IO[bytes], path: Path, max_line_bytes: int) -> Iterator[Record | Reject]:
    for number, line in lines(file, max_line_bytes):
        if line is None:
            yield _reject(path, number, f"longer than {max_line_bytes:,} bytes", "")
            continue
        if number == 1:
            line = line.removeprefix(BOM)
            _refuse_other_formats(line, path)
        if stripped := line.strip():
            yield _parsed(stripped, number, path)


def _refuse_other_formats(line: bytes, path: Path) -> None:
    if b"\x00" in line:
        raise RecordError("not a text file", path=str(path), line=1, hint="give JSON Lines")
    if line.lstrip().startswith(b"["):
        raise RecordError(
            "a JSON array, not JSON Lines", path=str(path), line=1, hint="write one object a line"
        )


def _parsed(line: bytes, number: int, path: Path) -> Record | Reject:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        reason = f"not UTF-8 at byte {error.start}"
        return _reject(path, number, reason, line.decode(errors="replace"))
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return _reject(path, number, f"not JSON: {error.msg} at character {error.pos}", text)
    except (ValueError, RecursionError) as error:
        return _reject(path, number, f"not JSON: {error}", text)
    if not isinstance(value, dict):
        return _reject(path, number, f"not an object but {type(value).__name__}", text)
    return Record(line=number, fields=value, text=text)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _reject(path: Path, line: int, reason: str, text: str) -> Reject:
    return Reject(file=path.name, line=line, column=None, reason=reason, text=text)
