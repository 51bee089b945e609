"""Rows that wait in a temporary file until the types of their columns are known."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from kg.arrow_columns import ArrowColumns
from kg.errors import LimitError

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

__all__ = ["SpooledRows"]

_IN_MEMORY = 2**20
"""Bytes up to which there is no file."""
_BATCH = 4096
"""Rows of a batch."""


class SpooledRows:
    """Rows in the order in which they are added, to be read once; use it as a context manager.

    The file has no name where the system allows that, and no process can leave it behind.

    Args:
        names: Of the columns.
        folder: Where the file lies; the system's own folder if there is none such.
        max_bytes: Largest size of the file.

    Attributes:
        names: Of the columns.
        columns: With the types of all rows that have been added.
        count: Rows that have been added.
        truncated: Whether there were more; for whoever adds them to say.

    Example:
        >>> with SpooledRows(("n",), folder=Path("."), max_bytes=100) as rows:
        ...     rows.add((7,))
        ...     [batch.to_pydict() for batch in rows.batches()]
        [{'n': [7]}]
    """

    def __init__(self, names: Sequence[str], *, folder: Path, max_bytes: int) -> None:
        self.names = tuple(names)
        self.columns = ArrowColumns(names)
        self.count = 0
        self.truncated = False
        self._max_bytes = max_bytes
        self._size = 0
        self._file = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - `close` closes it
            max_size=min(_IN_MEMORY, max_bytes), dir=str(folder) if folder.is_dir() else None
        )

    def add(self, row: Sequence[Any]) -> None:
        """Add a row of plain values.

        Raises:
            LimitError: The file would be too large.
        """
        self.columns.see(row)
        line = json.dumps(row).encode() + b"\n"
        self._size += len(line)
        if self._size > self._max_bytes:
            raise LimitError(
                f"the rows take more than {self._max_bytes} bytes (setting max_spooled_bytes)",
                hint="ask for less, for lines (application/x-ndjson), or raise the setting",
            )
        self._file.write(line)
        self.count += 1

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield all rows in batches."""
        self._file.seek(0)
        rows = map(json.loads, self._file)
        while some := list(islice(rows, _BATCH)):
            yield self.columns.batch(some)

    def close(self) -> None:
        """Delete the rows."""
        self._file.close()

    def __enter__(self) -> Self:
        """Return the rows."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Delete the rows."""
        self.close()
