"""Fields of records in JSON that others wrote, each checked where it is read."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from kg.errors import InputError, RecordError
from kg.formats.records import readable
from scenes.relations.annotations import MAX_COORDINATE, MAX_NAME

__all__ = ["MAX_FILE_BYTES", "corners_of", "integer_of", "member", "name_of", "number_of", "parsed"]

MAX_FILE_BYTES = 2**30
"""Largest file that is read, unpacked: JSON is parsed whole."""

_BLOCK = 2**20


def parsed(path: Path) -> Any:
    """Return the JSON in a file, plain or ``.gz``.

    Raises:
        RecordError: The file is missing, too large, or no JSON.
    """
    blocks, size = [], 0
    with readable(path) as file:
        while block := file.read(_BLOCK):
            size += len(block)
            if size > MAX_FILE_BYTES:
                raise RecordError(
                    f"larger than {MAX_FILE_BYTES:,} bytes", path=str(path), hint="split the file"
                )
            blocks.append(block)
    try:
        return json.loads(b"".join(blocks))
    except (ValueError, RecursionError) as error:  # also what is not UTF-8
        raise RecordError(f"not JSON: {error}", path=str(path)) from error


def member(record: Any, name: str, kind: type | tuple[type, ...], what: str) -> Any:
    """Return a member of a JSON object.

    Args:
        record: The object.
        name: Of the member.
        kind: Which types it may have; a boolean is no number.
        what: What it should be, for the message.

    Raises:
        InputError: It is missing or of another type.
    """
    value = record.get(name) if isinstance(record, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        told = "missing" if value is None else f"{json.dumps(value, default=str)[:60]} is not"
        raise InputError(f"{told}: {what} is needed", where=name)
    return value


def number_of(record: Any, name: str) -> float:
    """Return a finite number.

    Raises:
        InputError: It is missing or none.
    """
    value = member(record, name, (int, float), "a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{str(value)[:40]} is not finite", where=name)
    return number


def name_of(record: Any, name: str) -> str:
    """Return a name without blanks around it.

    Raises:
        InputError: It is missing, empty or too long.
    """
    value = str(member(record, name, str, "a name")).strip()
    if not 0 < len(value) <= MAX_NAME:
        raise InputError(f"a name of 1 to {MAX_NAME} characters is needed", where=name)
    return value


def integer_of(record: Any, name: str) -> int:
    """Return a whole number.

    Raises:
        InputError: It is missing or none.
    """
    return int(member(record, name, int, "a whole number"))


def corners_of(values: list[Any], name: str) -> list[float]:
    """Return the coordinates of a polygon.

    Raises:
        InputError: One is no number, or beyond `MAX_COORDINATE`.
    """
    corners = [number_of({name: one}, name) for one in values]
    if any(abs(one) > MAX_COORDINATE for one in corners):
        raise InputError(f"a coordinate is beyond {MAX_COORDINATE:,}", where=name)
    return corners
