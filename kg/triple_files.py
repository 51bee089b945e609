"""Files of triples: tab-separated head, relation, tail in names, plain or gzip, read in columns.

Read by Arrow's parser: 2 million lines took 0.9 s of one core where a loop over lines took 4.5 s.
Nothing is a quote or an escape. Empty lines are skipped, a byte order mark at the start too.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray
from pyarrow import csv

from kg.errors import InputError, LimitError
from kg.formats.records import Reject, is_packed, lines, packed_hint, readable
from kg.model import EntityKey
from kg.vocabulary import Vocabulary

__all__ = [
    "MAX_LINE_BYTES",
    "MAX_NAME_CHARS",
    "MAX_TRIPLES",
    "TripleFile",
    "columns_of",
    "lines_of",
    "read_triples",
]

MAX_TRIPLES = 200_000_000
"""Most lines of a file."""

MAX_LINE_BYTES = 2**20
"""Longest line."""

MAX_NAME_CHARS = 10_000
"""Longest name of an entity or a relation."""

_COLUMNS = ("head", "relation", "tail")
_BLOCK_BYTES = 4 * MAX_LINE_BYTES
_HINT = "a line is head, relation, tail with a tab between, in UTF-8"


@dataclass(frozen=True, kw_only=True, eq=False)
class TripleFile:
    """The triples of a file, with a list of names for each column.

    Attributes:
        names: Distinct names of heads, of relations, of tails.
        numbers: ``(num_lines, 3)`` int32, the place of each name in its list.
    """

    names: tuple[tuple[str, ...], ...] = field(repr=False)
    numbers: NDArray[np.int32] = field(repr=False)

    def ids(self, entities: Vocabulary[EntityKey], relations: Vocabulary[str]) -> NDArray[np.int32]:
        """Return ``(num_lines, 3)`` ids of head, relation and tail."""
        found = []
        for column, number_of in enumerate((entities.get, relations.get, entities.get)):
            ids = np.array([number_of(name) for name in self.names[column]], dtype=np.int32)
            found.append(ids[self.numbers[:, column]])
        return np.stack(found, axis=1)


def read_triples(path: Path, rejects: list[Reject] | None = None) -> TripleFile:
    """Read a file of triples, in the order of its lines.

    Args:
        path: Plain or gzip.
        rejects: Takes the lines that are no triples, which are then left out; without it the
            first of them is an error.

    Raises:
        InputError: A line is not head, relation, tail, none of them empty (file and line are
            named), or the file cannot be read.
        LimitError: It has more than `MAX_TRIPLES` lines.
    """
    try:
        return _read_whole(path)
    except InputError:
        if rejects is None:
            raise
    return columns_of(_good_lines(path, rejects))


def columns_of(rows: Iterable[Sequence[str]]) -> TripleFile:
    """Return triples of names as columns."""
    places: tuple[dict[str, int], ...] = ({}, {}, {})
    numbers = [
        [place.setdefault(name, len(place)) for place, name in zip(places, row, strict=True)]
        for row in rows
    ]
    return TripleFile(
        names=tuple(map(tuple, places)), numbers=np.array(numbers, dtype=np.int32).reshape(-1, 3)
    )


def _good_lines(path: Path, rejects: list[Reject]) -> Iterator[list[str]]:
    with readable(path) as file:
        for number, line in lines(file, MAX_LINE_BYTES):
            text = None if line is None else _decoded(line).removeprefix("\ufeff")
            parts = [] if text is None else text.rstrip("\r\n").split("\t")
            if parts == [""]:
                continue
            if len(parts) == 3 and all(0 < len(part) <= MAX_NAME_CHARS for part in parts):
                yield parts
                continue
            reason = f"longer than {MAX_LINE_BYTES} bytes" if text is None else _HINT
            rejects.append(
                Reject(file=path.name, line=number, column=None, reason=reason, text=text or "")
            )


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return f"{line!r}"  # no tab is left in it, so it is a reject


def _read_whole(path: Path) -> TripleFile:
    batches, count = [], 0
    try:
        for batch in _reader(path):
            count += batch.num_rows
            if count > MAX_TRIPLES:
                raise LimitError(f"more than {MAX_TRIPLES} lines", where=str(path))
            batches.append(batch)
    except (pa.ArrowException, OSError, EOFError) as error:
        if "Empty CSV file" in str(error):
            return TripleFile(names=((), (), ()), numbers=np.empty((0, 3), dtype=np.int32))
        raise _explained(path, error) from error
    if not batches:
        return TripleFile(names=((), (), ()), numbers=np.empty((0, 3), dtype=np.int32))
    table = pa.Table.from_batches(batches)
    names: list[tuple[str, ...]] = []
    columns = []
    for column in table.columns:
        chunks = column.dictionary_encode().chunks
        names.append(tuple(chunks[0].dictionary.to_pylist()))
        columns.append(np.concatenate([chunk.indices.to_numpy() for chunk in chunks]))
    if not all(0 < len(name) <= MAX_NAME_CHARS for column in names for name in column):
        raise _explained(path, None)
    return TripleFile(names=tuple(names), numbers=np.stack(columns, axis=1).astype(np.int32))


def _reader(path: Path) -> csv.CSVStreamingReader:
    source = pa.input_stream(str(path), compression="gzip" if is_packed(path) else None)
    return csv.open_csv(
        source,
        read_options=csv.ReadOptions(column_names=list(_COLUMNS), block_size=_BLOCK_BYTES),
        parse_options=csv.ParseOptions(
            delimiter="\t", quote_char=False, double_quote=False, ignore_empty_lines=True
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(_COLUMNS, pa.string()),
            strings_can_be_null=False,
            null_values=[],
        ),
    )


def _explained(path: Path, error: Exception | None) -> InputError:
    """Find the line that is to blame, which the fast parser does not tell for sure."""
    try:
        for number, line in enumerate(lines_of(path), start=1):
            parts = line.split("\t")
            where = f"{path}:{number}"
            if line and (len(parts) != 3 or not all(parts)):
                got = f"got {line[:80]!r}"
                return InputError(f"expected head, relation, tail with tabs, {got}", where=where)
            if max(map(len, parts)) > MAX_NAME_CHARS:
                return InputError(f"a name of over {MAX_NAME_CHARS} characters", where=where)
    except InputError as broken:
        return broken
    return InputError(f"it cannot be read: {error}", where=str(path), hint=_HINT)


def lines_of(path: Path) -> Iterator[str]:
    """Yield the lines of a text file, plain or gzip, without their ends.

    Raises:
        InputError: It cannot be read, is no UTF-8, or a line is longer than `MAX_LINE_BYTES`
            characters; the line is named.
    """
    number = 0
    try:
        opener = gzip.open if is_packed(path) else open
        with opener(path, "rt", encoding="utf-8-sig", newline="\n") as file:
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise InputError(
                        f"a line longer than {MAX_LINE_BYTES} characters", where=f"{path}:{number}"
                    )
                yield line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        # decoding runs ahead of the lines that were yielded
        raise InputError(
            f"not UTF-8: {error.reason}", where=f"{path} after line {number}", hint=_HINT
        ) from error
    except (OSError, EOFError) as error:
        raise InputError(
            f"it cannot be read: {error}", where=str(path), hint=packed_hint(error)
        ) from error
