"""Rows as lines of JSON: for a reader that begins before the last one has come.

The first line says what the rows are, the last one how many there were: without it some are lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from fastapi import Request
from fastapi.responses import StreamingResponse

__all__ = ["NDJSON", "as_lines_too", "lines_response", "wants_lines"]

NDJSON = "application/x-ndjson"
_AT_ONCE = 256
"""Rows of one piece of the stream."""


def wants_lines(request: Request) -> bool:
    """Tell whether a request asks for lines; a client that takes anything gets one object.

    Example:
        >>> scope = {"type": "http", "headers": [(b"accept", b"application/x-ndjson")]}
        >>> wants_lines(Request(scope))
        True
    """
    accepted = request.headers.get("accept", "").lower().split(",")
    return any(one.partition(";")[0].strip() == NDJSON for one in accepted)


def lines_response(head: Any, rows: Iterable[Any], *, truncated: bool = False) -> StreamingResponse:
    """Return a stream: the head, the rows, and ``{"rows": n, "truncated": …}``."""
    return StreamingResponse(_pieces(head, rows, truncated), media_type=NDJSON)


def as_lines_too(responses: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """Declare that an answer may also come as lines; for a route's `responses`."""
    found = dict(responses)
    good = found.get(200, {"description": "OK"})
    content = good.get("content", {}) | {NDJSON: {"schema": {"type": "string"}}}
    return found | {200: good | {"content": content}}


def _pieces(head: Any, rows: Iterable[Any], truncated: bool) -> Iterator[bytes]:
    yield _line(head)
    count, left = 0, iter(rows)
    while some := list(islice(left, _AT_ONCE)):
        count += len(some)
        yield b"".join(map(_line, some))
    yield _line({"rows": count, "truncated": truncated})


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode() + b"\n"
