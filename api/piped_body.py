"""The body of an answer that is sent while a thread still makes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future

from starlette.types import Receive, Scope, Send

from api.pipe import Pipe
from api.timed_response import TimedResponse

__all__ = ["PipedBody", "PipedResponse"]


class PipedBody:
    """What a call puts into a pipe, piece by piece.

    Args:
        pipe: Where the call puts it.
        future: Of the call.
        watched: Waits for a piece as long as time and the server allow, or raises.
        ends: Ends the call if it still runs.
    """

    def __init__(
        self,
        pipe: Pipe,
        future: Future[None],
        *,
        watched: Callable[[asyncio.Future[bytes]], Awaitable[bytes]],
        ends: Callable[[], None],
    ) -> None:
        self._pipe = pipe
        self._future = future
        self._watched = watched
        self._ends = ends
        self._first = b""

    async def begin(self) -> None:
        """Wait for the first piece, or the end.

        Raises:
            Exception: What the call raised, if it failed meanwhile: nothing of it is sent then.
        """
        self._first = await self._next()
        if self._future.done():
            self._future.result()

    async def pieces(self, last_words: Callable[[Exception], bytes]) -> AsyncIterator[bytes]:
        """Yield the pieces.

        Args:
            last_words: Returns what a body ends with whose call failed.
        """
        piece = self._first
        try:
            while piece:
                yield piece
                piece = await self._next()
        except Exception as error:  # noqa: BLE001 - the status is sent: this is told in the body
            yield last_words(error)

    async def _next(self) -> bytes:
        taking = asyncio.ensure_future(self._pipe.take())
        try:
            piece = await self._watched(taking)
        finally:
            taking.cancel()
        if not piece:
            self._future.result()
        return piece

    def close(self) -> bool:
        """Let go of the call, which ends if it still runs; return whether it had ended."""
        had_ended = self._future.done()
        self._pipe.leave()
        if not had_ended and not self._future.cancel():
            self._ends()
        return had_ended


class PipedResponse(TimedResponse):
    """A response whose body is piped; however it ends, the call that makes it ends too.

    Args:
        body: The body; it has begun.
        last_words: Returns what a body ends with whose call failed.
        media_type: Of the whole.
    """

    def __init__(
        self, body: PipedBody, *, last_words: Callable[[Exception], bytes], media_type: str
    ) -> None:
        super().__init__(body.pieces(last_words), media_type=media_type)
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if not self._body.close():  # the client left in the midst of it
                scope.setdefault("state", {}).setdefault("ended_with", 499)
