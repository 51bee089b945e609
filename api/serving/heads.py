"""HEAD: what GET would answer, without its body (RFC 9110, 9.3.2), wherever GET answers."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Heads"]

_ROUTE = ("route", "kept_route")
"""By what requests are counted afterwards."""


class Heads:
    """The middleware, behind the guard: what stands behind it knows no HEAD.

    Args:
        app: Answers GET.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have GET answered, and send the head of what comes."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        ended = False

        async def headed(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start":
                await send(message)
            elif not ended:
                ended = True
                await send({"type": "http.response.body", "body": b""})

        async def received() -> Message:
            return {"type": "http.disconnect"} if ended else await receive()  # ends a stream

        asked = {**scope, "method": "GET"}  # a copy: the server leaves bodies out by the method
        try:
            await self._app(asked, received, headed)
        finally:
            scope.update({name: asked[name] for name in _ROUTE if name in asked})
