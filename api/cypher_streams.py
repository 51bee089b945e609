"""The rows of a Cypher query while they come: into a pipe as lines, or into a file for Arrow."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from api.pipe import Pipe
from api.spooled_rows import SpooledRows
from kg.row_stream import RowStream

__all__ = ["failure_line", "pipe_lines", "spool"]


def pipe_lines(rows: AbstractContextManager[RowStream], pipe: Pipe) -> None:
    """Send columns, rows, and ``{"rows": n, "truncated": …}``, unless nobody reads any more.

    Args:
        rows: Entered once the first row has come.
        pipe: Where the lines go.
    """
    with rows as stream:
        is_read, count = pipe.put(_line(stream.columns)), 0
        for row in stream:
            if not is_read:
                return  # leaving ends the query
            is_read, count = pipe.put(_line(row)), count + 1
        pipe.put(_line({"rows": count, "truncated": stream.truncated}))


def failure_line(problem: dict[str, Any]) -> bytes:
    """Return the last line of rows that were not all sent."""
    return _line({"error": problem})


def spool(rows: AbstractContextManager[RowStream], *, folder: Path, max_bytes: int) -> SpooledRows:
    """Keep all rows of a query in a temporary file, which whoever takes it closes.

    Args:
        rows: Of the query.
        folder: Where the file lies.
        max_bytes: Its largest size.

    Raises:
        LimitError: It would be larger.
    """
    with rows as stream, ExitStack() as kept:
        spooled = kept.enter_context(
            SpooledRows(stream.columns, folder=folder, max_bytes=max_bytes)
        )
        for row in stream:
            spooled.add(row)
        spooled.truncated = stream.truncated
        kept.pop_all()
    return spooled


def _line(value: Any) -> bytes:
    return to_json(value, inf_nan_mode="null") + b"\n"
