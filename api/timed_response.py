"""A stream that is given up when its reader takes nothing: what it holds is free then."""

from __future__ import annotations

import asyncio

from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from api.errors import HttpProblem

__all__ = ["MOST_BYTES", "TAKEN_WITHIN_S", "TimedResponse"]

TAKEN_WITHIN_S = 60.0
"""Seconds in which a reader must take a piece."""
MOST_BYTES = 256 * 1024
"""Bytes of a piece, so that a slow reader can take each in time."""


class TimedResponse(StreamingResponse):
    """A stream whose pieces must be taken in time; else the connection is closed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""

        async def timed(message: Message) -> None:
            try:
                async with asyncio.timeout(TAKEN_WITHIN_S):
                    await send(message)
            except TimeoutError:
                scope.setdefault("state", {}).setdefault("ended_with", 499)
                raise HttpProblem(
                    "client-closed-request", f"nothing was read for {TAKEN_WITHIN_S:g} s"
                ) from None

        await super().__call__(scope, receive, timed)
