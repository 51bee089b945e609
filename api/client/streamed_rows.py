"""The rows of a Cypher query as the server sends them, line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from api.client.connection import RefusedError
from api.schemas import ProblemOut
from kg.errors import StoreUnavailableError

__all__ = ["StreamedRows"]


class StreamedRows:
    """Rows on their way, iterated once.

    Args:
        lines: Of the answer.

    Attributes:
        columns: Names, in the order of the query's RETURN.
        truncated: Whether there were more rows than the limit; said when the last one has come.

    Example:
        >>> rows = StreamedRows(iter([b'["n"]', b"[7]", b'{"rows": 1, "truncated": true}']))
        >>> rows.columns, list(rows), rows.truncated
        (('n',), [[7]], True)
    """

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self.columns: tuple[str, ...] = tuple(json.loads(next(lines, b"[]")))
        self.truncated = False

    def __iter__(self) -> Iterator[list[Any]]:
        """Iterate the rows.

        Raises:
            RefusedError: The query failed after the rows that have come.
            StoreUnavailableError: The answer was cut on its way.
        """
        for line in self._lines:
            found = json.loads(line)
            if isinstance(found, list):
                yield found
            elif "error" in found:
                raise RefusedError(ProblemOut.model_validate(found["error"]))
            else:
                self.truncated = found["truncated"]
                return
        raise StoreUnavailableError(
            "the answer was cut on its way: its last line is missing", hint="ask again"
        )
