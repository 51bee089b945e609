"""Parquet as rows: values keep their types; a row's line is its number, from 1.

Dates and times are ISO 8601 texts, and decimal numbers the nearest that a graph can hold.

Read a batch at a time and one row group after the other, so that memory is bounded by a row group
of the file. A row that is too large, or holds bytes, is a reject; reading goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from kg.errors import RecordError
from kg.formats.records import KEPT_TEXT, MAX_LINE_BYTES, Record, Reject

__all__ = ["parquet_columns", "parquet_rows", "read_parquet"]

BATCH = 512
"""Rows that are turned into Python values at a time."""


def read_parquet(
    path: Path, *, first: int = 1, max_row_bytes: int = MAX_LINE_BYTES
) -> Iterator[Record | Reject]:
    """Yield the rows of a file, and a reject for each that cannot be taken.

    Args:
        path: The file.
        first: Number of the first row that is yielded; row groups before it are not read.
        max_row_bytes: Limit on the texts of one row, in characters.

    Raises:
        RecordError: The file is missing, damaged, or no Parquet at all.

    Example:
        >>> import tempfile
        >>> import pyarrow as pa
        >>> from pyarrow import parquet
        >>> file = Path(tempfile.mkdtemp()) / "a.parquet"
        >>> parquet.write_table(pa.table({"name": ["Oslo", "Bergen"], "area": [5, None]}), file)
        >>> [(row.line, dict(row.fields)) for row in read_parquet(file, first=2)]
        [(2, {'name': 'Bergen', 'area': None})]
    """
    with _opened(path) as file:
        line = 1
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if line + rows <= first:
                line += rows
                continue
            for batch in file.iter_batches(BATCH, row_groups=[group]):
                for fields in batch.to_pylist():
                    if line >= first:
                        yield _row(path, line, fields, max_row_bytes)
                    line += 1


def parquet_columns(path: Path) -> tuple[str, ...]:
    """Return the names of a file's columns.

    Raises:
        RecordError: The file is missing, damaged, or no Parquet at all.
    """
    with _opened(path) as file:
        return tuple(file.schema_arrow.names)


def parquet_rows(path: Path) -> int:
    """Return how many rows a file has.

    Raises:
        RecordError: The file is missing, damaged, or no Parquet at all.
    """
    with _opened(path) as file:
        return int(file.metadata.num_rows)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import pyarrow as pa  # type: ignore[import-untyped]  # slow to import
    from pyarrow import parquet

    try:
        # read through a small buffer, not ahead: that would hold a whole row group
        options = {"pre_buffer": False, "buffer_size": 2**20}
        with path.open("rb") as handle, parquet.ParquetFile(handle, **options) as file:
            names = file.schema_arrow.names
            if len(set(names)) < len(names):
                raise RecordError("two columns of one name", path=str(path))
            yield file
    except FileNotFoundError as error:
        raise RecordError("no such file", path=str(path)) from error
    except (pa.ArrowException, UnicodeDecodeError) as error:
        told = str(error).split("\n")[0][:200]
        raise RecordError(
            f"damaged, or no Parquet: {told}",
            path=str(path),
            hint="copy or write the file again",
        ) from error
    except OSError as error:  # Arrow tells of broken pages by OSError too
        told = error.strerror or str(error).split("\n")[0][:200]
        raise RecordError(f"not readable: {told}", path=str(path)) from error


def _plain(value: Any) -> Any:
    """Return a value as JSON has it, but for bytes."""
    if isinstance(value, date | time):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value


def _row(path: Path, line: int, fields: dict[str, Any], limit: int) -> Record | Reject:
    fields = _plain(fields)
    large, size = "", 0
    for name, value in fields.items():
        if isinstance(value, str | bytes | list | dict):
            length = len(value) if isinstance(value, str | bytes) else len(str(value))
            size += length
            large = name if length > len(str(fields.get(large) or "")) else large
    if size > limit:
        start = str(fields[large])[:KEPT_TEXT]
        return _reject(path, line, large, f"longer than {limit:,} bytes", start)
    text = json.dumps(fields, ensure_ascii=False, default=str)
    return Record(line=line, fields=fields, text=text)


def _reject(path: Path, line: int, column: str, reason: str, text: str) -> Reject:
    return Reject(file=path.name, line=line, column=column, reason=reason, text=text)
