"""Rows of a Cypher query while the store still runs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["RowStream"]


class RowStream:
    """Rows on their way, iterated once: the store makes the next ones when they are asked for.

    Args:
        columns: Names, in the order of the query's RETURN.
        rows: One tuple of plain values a row.
        max_rows: Most rows that are given; one more is asked for, to know whether there is one.

    Attributes:
        columns: Names, in the order of the query's RETURN.
        truncated: Whether there were more rows than `max_rows`; said when the last one has come.

    Example:
        >>> stream = RowStream(("n",), ((n,) for n in range(9)), max_rows=2)
        >>> list(stream), stream.truncated
        ([(0,), (1,)], True)
    """

    def __init__(
        self, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]], *, max_rows: int
    ) -> None:
        self.columns = columns
        self.truncated = False
        self._rows = rows
        self._max_rows = max_rows

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Iterate the rows; what ends a query raises here as `Store.stream` says."""
        for count, row in enumerate(self._rows):
            if count == self._max_rows:
                self.truncated = True
                return
            yield row
