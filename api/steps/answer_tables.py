"""Rows of answers written as JSON lines, CSV or Parquet, atomically and a batch at a time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

from kg.files import atomic_write

__all__ = ["write_answers"]

_BATCH = 10_000
_NUMBERS = {"line": "int64", "rank": "int64", "probability": "float64", "score": "float64"}


def write_answers(path: Path, rows: Iterator[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write rows in the format that the path's ending names.

    Args:
        path: Ends in ``.jsonl``, ``.csv`` or ``.parquet``.
        rows: With all columns.
        columns: In the order of the file.
    """
    write = {".csv": _csv, ".parquet": _parquet}.get(path.suffix, _jsonl)
    with atomic_write(path) as file:
        write(file, rows, columns)


def _jsonl(file: IO[bytes], rows: Iterator[Mapping[str, Any]], columns: Sequence[str]) -> None:
    for row in rows:
        line = json.dumps({name: row[name] for name in columns}, ensure_ascii=False)
        file.write(line.encode() + b"\n")


def _csv(file: IO[bytes], rows: Iterator[Mapping[str, Any]], columns: Sequence[str]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([row[name] for name in columns] for row in rows)
    text.detach()  # flushed, and the file stays open


def _parquet(file: IO[bytes], rows: Iterator[Mapping[str, Any]], columns: Sequence[str]) -> None:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    types = {name: pa.type_for_alias(_NUMBERS.get(name, "string")) for name in columns}
    schema = pa.schema(list(types.items()))
    with parquet.ParquetWriter(file, schema) as writer:
        while batch := list(islice(rows, _BATCH)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
