"""Connections of the server: as many as the process may hold, none that dawdles over its headers.

uvicorn counts idle connections against its limit and waits for headers for ever, so that a few
hundred silent clients would shut everybody out. Here a connection without a whole head of a request
is closed after a while, a head has a largest size, and the limit on work counts requests
(`api.guard`).
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["HEAD_WITHIN_S", "MAX_HEAD", "TimedProtocol", "raise_file_limit"]

HEAD_WITHIN_S = 10.0
"""Seconds in which the head of a request must have come, and which a connection may idle."""

MAX_HEAD = 64 * 1024
"""Bytes of a head that is still read on."""

KEPT_FILES = 200
"""Open files left to the rest of the process."""


def raise_file_limit() -> int:
    """Let the process open as many files as it may, and return how many connections that allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(64, hard - KEPT_FILES)


class TimedProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose heads must come in time, and be of some size.

    Attributes:
        most: Connections held at a time; those beyond are closed at once.
    """

    most = 12_000

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._timer: asyncio.TimerHandle | None = None
        self._head_bytes: int | None = 0  # None: the head is whole, what comes is a body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or close it where there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.abort()
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        """Read on; a head that grows too large ends the connection."""
        if self._head_bytes is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes is not None and self._head_bytes > MAX_HEAD:
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        """Stop the clock: the head is whole."""
        self._head_bytes = None
        self._stop()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Count the next head, which may have come already."""
        super().on_message_complete()
        self._head_bytes = 0

    def on_response_complete(self) -> None:
        """Start the clock for the next head."""
        super().on_response_complete()
        if not self.pipeline and not self.transport.is_closing():
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(HEAD_WITHIN_S, self._too_slow)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()
