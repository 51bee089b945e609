"""Rows as lines of JSON or as Arrow: for a reader that begins before the last one has come.

Of lines, the first says what the rows are, the last one how many there were: without it some are
lost. An Arrow stream says both in the metadata of its schema, and ends with a mark of its own.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from api.schemas import NDJSON, AnswerOut, AnswersOut, TableOut
from api.spooled_rows import SpooledRows
from api.timed_response import MOST_BYTES, TimedResponse
from kg.query_results import Rows, arrow_of

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

__all__ = [
    "ARROW",
    "NDJSON",
    "SpooledResponse",
    "answer_table",
    "arrow_response",
    "as_rows_too",
    "file_response",
    "lines_response",
    "rows_wanted",
]

ARROW = "application/vnd.apache.arrow.stream"
_AT_ONCE = 256
"""Rows of one piece of a stream of lines."""
_BATCH = 4096
"""Rows of one batch of an Arrow stream."""


def rows_wanted(request: Request) -> Literal["lines", "arrow"] | None:
    """Return in which form a request asks for rows; None, of one object, for anything else.

    Example:
        >>> scope = {"type": "http", "headers": [(b"accept", b"application/x-ndjson")]}
        >>> rows_wanted(Request(scope))
        'lines'
    """
    accepted = request.headers.get("accept", "").lower().split(",")
    kinds = {one.partition(";")[0].strip() for one in accepted}
    if ARROW in kinds:
        return "arrow"
    return "lines" if NDJSON in kinds else None


def lines_response(head: Any, rows: Iterable[Any], *, truncated: bool = False) -> StreamingResponse:
    """Return a stream: the head, the rows, and ``{"rows": n, "truncated": …}``."""
    return StreamingResponse(_pieces(head, rows, truncated), media_type=NDJSON)


def arrow_response(head: Any, rows: Rows, *, truncated: bool = False) -> Response:
    """Return rows as an Arrow stream.

    Args:
        head: What the rows are; its JSON is the schema's metadata ``head``.
        rows: Columns and rows; values of several kinds become JSON texts (`kg.query_results`).
        truncated: Whether there were more.
    """
    table = arrow_of(rows)
    table = table.replace_schema_metadata(_told(head, table.num_rows, truncated=truncated))
    batches = iter(table.to_batches(max_chunksize=_BATCH))
    return StreamingResponse(_stream(table.schema, batches), media_type=ARROW)


class SpooledResponse(TimedResponse):
    """Rows that wait in a file, as an Arrow stream; the file goes however the response ends.

    Args:
        rows: The rows, all of them; their columns' names are the schema's metadata ``head``.
    """

    def __init__(self, rows: SpooledRows) -> None:
        told = _told(rows.names, rows.count, truncated=rows.truncated)
        pieces = _stream(rows.columns.schema(told), rows.batches())
        super().__init__(_cut(pieces), media_type=ARROW)
        self._rows = rows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self._rows:
            await super().__call__(scope, receive, send)


def answer_table(found: AnswersOut) -> TableOut:
    """Return answers as columns and rows: a column a field, or two for each variable.

    Rows of several variables have a column of keys for each, and one of names (``NAME_name``).
    """
    if found.rows is not None:
        columns = tuple(c for name in found.rows.columns for c in (name, f"{name}_name"))
        cells = (tuple(v for one in row for v in (one.key, one.name)) for row in found.rows.rows)
        return TableOut(columns=columns, rows=tuple(cells))
    columns = tuple(AnswerOut.model_fields)
    shown = (answer.model_dump(mode="json") for answer in found.answers)
    return TableOut(columns=columns, rows=tuple(tuple(row[c] for c in columns) for row in shown))


def file_response(path: Path) -> Response:
    """Return the rows of a file of JSON lines as an Arrow stream; it is read twice, never held."""
    schema = _schema_of(path)
    return StreamingResponse(_stream(schema, _batches(path, schema)), media_type=ARROW)


def as_rows_too(responses: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """Declare that an answer may also come as lines or as Arrow; for a route's `responses`."""
    found = dict(responses)
    good = found.get(200, {"description": "OK"})
    forms = {
        NDJSON: {"schema": {"type": "string"}},
        ARROW: {"schema": {"type": "string", "contentMediaType": ARROW}},
    }
    return found | {200: good | {"content": good.get("content", {}) | forms}}


def _pieces(head: Any, rows: Iterable[Any], truncated: bool) -> Iterator[bytes]:
    yield _line(head)
    count, left = 0, iter(rows)
    while some := list(islice(left, _AT_ONCE)):
        count += len(some)
        yield b"".join(map(_line, some))
    yield _line({"rows": count, "truncated": truncated})


def _line(value: Any) -> bytes:
    return _text(value).encode() + b"\n"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _told(head: Any, rows: int, *, truncated: bool) -> dict[str, str]:
    return {"head": _text(head), "rows": str(rows), "truncated": _text(truncated)}


def _stream(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    """Yield a stream piece by piece: schema, batches, end."""
    import pyarrow as pa

    sink = io.BytesIO()
    writer = pa.ipc.new_stream(sink, schema)
    for batch in batches:
        writer.write_batch(batch)
        yield sink.getvalue()
        sink.seek(0)
        sink.truncate()
    writer.close()
    yield sink.getvalue()


def _cut(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Cut large pieces into several that a reader takes one after the other."""
    for piece in pieces:
        for start in range(0, len(piece), MOST_BYTES):
            yield piece[start : start + MOST_BYTES]


def _schema_of(path: Path) -> pa.Schema:
    """Return the columns of all rows; one of several kinds, or of lists and maps, is JSON."""
    import pyarrow as pa

    kinds: dict[str, set[str]] = {}
    count = 0
    for row in _rows(path):
        count += 1
        for name, value in row.items():
            kinds.setdefault(name, set()).update({type(value).__name__} - {"NoneType"})
    types = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "str": pa.string()}
    fields = []
    for name, seen in kinds.items():
        one = "float" if seen == {"int", "float"} else next(iter(seen), "str")
        plain = one in types and (len(seen) <= 1 or (one == "float" and seen <= {"int", "float"}))
        kind = types[one] if plain else pa.string()
        fields.append(pa.field(name, kind, metadata=None if plain else {"form": "json"}))
    return pa.schema(fields, metadata={"rows": str(count), "truncated": "false"})


def _batches(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    as_json = {f.name for f in schema if f.metadata}
    rows = _rows(path)
    while some := list(islice(rows, _BATCH)):
        shown = [
            {k: _text(v) if k in as_json and v is not None else v for k, v in row.items()}
            for row in some
        ]
        yield pa.RecordBatch.from_pylist(shown, schema=schema)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)
