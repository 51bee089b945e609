"""Tables of any format that is read, by the ending of the name; and folders of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from kg.errors import LimitError, RecordError
from kg.formats.csv import csv_columns, csv_delimiter, read_csv
from kg.formats.jsonl import read_jsonl
from kg.formats.parquet import parquet_columns, parquet_rows, read_parquet
from kg.formats.records import Record, Reject, count_lines

__all__ = [
    "ENDINGS",
    "MAX_FILES",
    "TableFiles",
    "is_table",
    "read_table",
    "table_columns",
    "table_delimiter",
    "table_files",
    "table_positions",
]

LINES, SEPARATED, COLUMNAR = (".jsonl", ".ndjson"), (".csv", ".tsv"), (".parquet",)
ENDINGS = (*LINES, *SEPARATED, *COLUMNAR)
"""What names of tables end in; all but Parquet, which is packed itself, also with ``.gz``."""

MAX_FILES = 100_000
"""Most files of a folder that are one table."""


def read_table(
    path: Path, *, first: int = 1, delimiter: str | None = None
) -> Iterator[Record | Reject]:
    r"""Yield the rows of a table from a line on, and a reject for each that cannot be read.

    Args:
        path: JSON Lines, CSV, TSV (these also with ``.gz``) or Parquet.
        first: Rows that start on an earlier line are passed over. Only Parquet spares reading them.
        delimiter: What stands between the fields of CSV; a comma, or what the header shows where
            it has none, if not given.

    Raises:
        RecordError: The file is missing or damaged, or not of its format at all.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.tsv"
        >>> _ = file.write_text("name\tarea\nOslo\t5\nBergen\t4\n")
        >>> [row.text for row in read_table(file, first=3)]
        ['Bergen\t4']
    """
    ending = _ending(path)
    if ending in COLUMNAR:
        yield from read_parquet(path, first=first)
        return
    if ending in SEPARATED:
        rows = read_csv(path, delimiter=delimiter or table_delimiter(path))
    else:
        rows = read_jsonl(path)
    yield from (row for row in rows if row.line >= first)


def is_table(path: Path) -> bool:
    """Tell by its name whether a file is a table that is read."""
    return _ending_of(path) is not None


def table_positions(path: Path) -> int:
    """Return the highest line that a row of a table can have; rows are the lines of Parquet.

    Raises:
        RecordError: The file is missing or damaged.
    """
    return parquet_rows(path) if _ending(path) in COLUMNAR else count_lines(path)


def table_columns(path: Path, *, delimiter: str | None = None) -> tuple[str, ...] | None:
    """Return the columns that a table declares; None for JSON Lines, where each row has its own.

    Raises:
        RecordError: The file is missing or damaged, or not of its format at all.
    """
    ending = _ending(path)
    if ending in COLUMNAR:
        return parquet_columns(path)
    if ending not in SEPARATED:
        return None
    return csv_columns(path, delimiter=delimiter or table_delimiter(path))


def table_delimiter(path: Path) -> str | None:
    """Return what a header of CSV shows to stand between fields, if it is not the usual.

    Raises:
        RecordError: The file is missing or damaged, or not of its format at all.
    """
    return csv_delimiter(path) if _ending(path) in SEPARATED else None


def table_files(path: Path) -> tuple[Path, ...]:
    """Return the tables that a path names: itself, or all below it if it is a folder.

    Those of a folder come in the order of their names. Files with other endings (pictures …) and
    hidden ones are no tables, and links that lead out of the folder are not followed.

    Raises:
        RecordError: There is none, or the file's name ends in nothing that is read.
        LimitError: The folder has more than `MAX_FILES`.
    """
    if not path.is_dir():
        if not path.exists():
            raise RecordError("no such file", path=str(path))
        if not path.is_file():
            raise RecordError("no file and no folder", path=str(path))
        _ending(path)
        return (path,)
    inside = path.resolve()
    found = []
    for file in path.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if hidden or _ending_of(file) is None or not file.is_file():
            continue
        if file.resolve().is_relative_to(inside):
            found.append(file)
        if len(found) > MAX_FILES:
            raise LimitError(f"more than {MAX_FILES:,} files", where=str(path))
    if not found:
        known = ", ".join(ENDINGS)
        raise RecordError(
            "no table in this folder", path=str(path), hint=f"its files end in {known}"
        )
    return tuple(sorted(found, key=lambda file: file.relative_to(path).parts))


@dataclass(frozen=True, slots=True)
class TableFiles:
    """The tables that a path names, in order, and how rejects call them.

    Attributes:
        paths: Where they lie.
        names: The file's name, or its path below the folder.
    """

    paths: tuple[Path, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, path: Path) -> Self:
        """Find them (`table_files`).

        Raises:
            RecordError: There is none, or the file's name ends in nothing that is read.
            LimitError: There are too many.
        """
        paths = table_files(path)
        if not path.is_dir():
            return cls(paths, (path.name,))
        return cls(paths, tuple(file.relative_to(path).as_posix() for file in paths))

    def rows(self, number: int, *, first: int = 1) -> Iterator[Record | Reject]:
        """Yield the rows of one of them from a line on; a reject is called by its name here."""
        name = self.names[number]
        for row in read_table(self.paths[number], first=first):
            yield replace(row, file=name) if isinstance(row, Reject) else row


def _ending(path: Path) -> str:
    ending = _ending_of(path)
    if ending is None:
        raise RecordError(
            "the name tells no format that is read",
            path=str(path),
            hint=f"it ends in {', '.join(ENDINGS)}; all but Parquet also with .gz",
        )
    return ending


def _ending_of(path: Path) -> str | None:
    packed = path.suffix.lower() == ".gz"
    ending = (Path(path.stem).suffix if packed else path.suffix).lower()
    return ending if ending in ENDINGS and not (packed and ending in COLUMNAR) else None
