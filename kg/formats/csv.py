"""CSV and TSV with a header row, UTF-8, plain or ``.gz``; every value is a text.

Quoting as in RFC 4180: a field in double quotes may hold the delimiter, quotes (doubled) and line
breaks. A row with too few or too many fields is a reject, and reading goes on; so is a quote that
is never closed, after the limit on one row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from kg.errors import RecordError
from kg.formats.records import MAX_LINE_BYTES, Record, Reject, lines, readable

__all__ = ["DELIMITERS", "UNNAMED", "csv_columns", "csv_delimiter", "read_csv"]

UNNAMED = "column_1"
"""Name of a first column without one: pandas writes its index so."""


DELIMITERS = (";", "\t", "|", ",")
"""What stands between fields where a header lacks the usual; the first that occurs."""

_QUOTED = re.compile(r'"[^"]*"?')
_UTF16 = ("\udcff\udcfe", "\udcfe\udcff")
"""Its marks of byte order, read as UTF-8."""


def read_csv(
    path: Path,
    *,
    delimiter: str | None = None,
    max_row_bytes: int = MAX_LINE_BYTES,
    header: Sequence[str] | None = None,
) -> Iterator[Record | Reject]:
    r"""Yield the rows of a file, and a reject for each that cannot be read.

    Args:
        path: The file.
        delimiter: What stands between fields; a tab for ``.tsv``, else a comma, if not given.
        max_row_bytes: Limit on one row.
        header: Names of the columns, where the file begins with a row of values.

    Raises:
        RecordError: The file is missing or damaged, has no header row, or names a column twice.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.csv"
        >>> _ = file.write_text('name,area\n"Oslo, NO",5\nBergen\n')
        >>> [getattr(item, "fields", None) for item in read_csv(file)]
        [{'name': 'Oslo, NO', 'area': '5'}, None]
    """
    delimiter = delimiter or _usual(path)
    with readable(path) as file:
        source = _Source(file, path, max_row_bytes)
        names = _header(source, delimiter) if header is None else list(header)
        yield from _rows(source, names, delimiter)


def csv_columns(path: Path, *, delimiter: str | None = None) -> tuple[str, ...]:
    """Return the names in the header row of a file.

    Raises:
        RecordError: The file is missing or damaged, has no header row, or names a column twice.
    """
    with readable(path) as file:
        source = _Source(file, path, MAX_LINE_BYTES)
        return tuple(_header(source, delimiter or _usual(path)))


def csv_delimiter(path: Path) -> str | None:
    """Return what stands between the fields, where a header shows it and it is not the usual.

    Raises:
        RecordError: The file is missing or damaged.
    """
    with readable(path) as file:
        try:
            first = next((line for line in _Source(file, path, MAX_LINE_BYTES) if line.strip()), "")
        except csv.Error:  # too long; who reads the header says so
            return None
    bare = _QUOTED.sub("", first)
    return None if _usual(path) in bare else next((one for one in DELIMITERS if one in bare), None)


def _usual(path: Path) -> str:
    return "\t" if ".tsv" in map(str.lower, path.suffixes) else ","


class _Source:
    """Lines of a file as the csv module wants them, with what was read for the row in hand."""

    def __init__(self, file: IO[bytes], path: Path, max_row_bytes: int) -> None:
        self.path = path
        self.max_row_bytes = max_row_bytes
        self._lines = lines(file, max_row_bytes)
        self.begin()

    def begin(self) -> None:
        """Forget the row before."""
        self.start = 0
        self.text: list[str] = []
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        for number, line in self._lines:
            self.start = self.start or number
            self._size += self.max_row_bytes + 1 if line is None else len(line)
            if line is None or self._size > self.max_row_bytes:
                raise csv.Error(f"longer than {self.max_row_bytes:,} bytes")
            # Bytes that are not UTF-8 become lone surrogates, and are found in their field.
            text = line.decode("utf-8-sig" if number == 1 else "utf-8", "surrogateescape")
            self.text.append(text)
            yield text

    def reject(self, reason: str, column: str | None = None) -> Reject:
        """Return a reject for the row in hand."""
        text = "".join(self.text).rstrip("\r\n")
        return Reject(file=self.path.name, line=self.start, column=column, reason=reason, text=text)


def _read_row(source: _Source, delimiter: str) -> list[str] | None:
    """Read the next row that is not blank; None at the end of the file.

    A reader of the csv module is made for each row, so that an error in one leaves no trace.
    """
    while True:
        source.begin()
        row = next(csv.reader(iter(source), delimiter=delimiter, strict=True), None)
        if row is None or row:
            return row


def _header(source: _Source, delimiter: str) -> list[str]:
    where = str(source.path)
    try:
        header = _read_row(source, delimiter)
    except csv.Error as error:
        _check_encoding(source)
        raise RecordError(f"not CSV: {error}", path=where, line=1) from error
    _check_encoding(source)
    if not header:
        raise RecordError("no header row", path=where, hint="name the columns in the first row")
    if not header[0].strip() and len(header) > 1:
        header[0] = UNNAMED
    if any("\x00" in name or not name.strip() for name in header):
        raise RecordError("a column without a name", path=where, line=1)
    if len(set(header)) < len(header):
        raise RecordError("two columns of one name", path=where, line=1)
    return header


def _check_encoding(source: _Source) -> None:
    if source.text and source.text[0].startswith(_UTF16):
        hint = "save it as UTF-8 (in Excel: CSV UTF-8)"
        raise RecordError("UTF-16, not UTF-8", path=str(source.path), hint=hint)


def _rows(source: _Source, header: list[str], delimiter: str) -> Iterator[Record | Reject]:
    while True:
        try:
            row = _read_row(source, delimiter)
        except csv.Error as error:
            yield source.reject(f"not CSV: {error}")
            continue
        if row is None:
            return
        if len(row) != len(header):
            yield source.reject(f"{len(row)} fields, the header has {len(header)}")
            continue
        broken = next((name for name, text in zip(header, row, strict=True) if _broken(text)), None)
        if broken is not None:
            yield source.reject("not UTF-8", broken)
            continue
        fields = dict(zip(header, row, strict=True))
        yield Record(line=source.start, fields=fields, text="".join(source.text).rstrip("\r\n"))


def _broken(text: str) -> bool:
    return any("\udc80" <= letter <= "\udcff" for letter in text)
