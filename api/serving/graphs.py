"""Several graphs behind one address: each an application of its own, below ``/graphs/NAME``.

Nothing is shared between them but the process: each has its engine, its keys, its cache, its jobs
and its log of changes, and sees addresses as if it were alone. A key opens the graphs that it was
made for and no other.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from kg.errors import SettingError

__all__ = ["NAME", "PREFIX", "Graphs", "checked_name"]

PREFIX = "/graphs/"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_ADDRESSED = {b"location": b"/", b"link": b"</"}
"""Headers with addresses, and how one that is ours begins."""


def checked_name(name: str) -> str:
    """Return the name of a graph, if it can stand in an address.

    Raises:
        SettingError: It cannot.
    """
    if not NAME.fullmatch(name) or name == "home":
        raise SettingError(
            f"{name[:60]!r} is no name of a graph",
            where="--graph",
            hint="1 to 40 of a-z, 0-9, - and _; `home` is the working folder's own",
        )
    return name


class Graphs:
    """The ASGI application over all.

    Args:
        home: Answers at the root.
        others: Answer below ``/graphs/NAME``.
    """

    def __init__(self, home: FastAPI, others: Mapping[str, FastAPI]) -> None:
        self._home = home
        self._others = dict(others)

    @property
    def apps(self) -> tuple[FastAPI, ...]:
        """All applications."""
        return (self._home, *self._others.values())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to its graph, or start and stop them all."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        found = self._found(scope) if scope["type"] == "http" else None
        if found is None:
            await self._home(scope, receive, send)
            return
        app, prefix = found
        raw = scope.get("raw_path") or scope["path"].encode()
        inner = {
            **scope,
            "path": scope["path"][len(prefix) :],
            "raw_path": raw[len(prefix) :],
            "root_path": prefix,
        }
        await app(inner, receive, _addressed(send, prefix.encode()))

    def _found(self, scope: Scope) -> tuple[FastAPI, str] | None:
        path: str = scope["path"]
        if not path.startswith(PREFIX):
            return None
        name, slash, _ = path[len(PREFIX) :].partition("/")
        app, prefix = self._others.get(name), f"{PREFIX}{name}"
        raw: bytes = scope.get("raw_path") or path.encode()
        # a name that was written with escapes is none: path and raw path must lose the same
        if app is None or not slash or not raw.startswith(prefix.encode() + b"/"):
            return None
        return app, prefix

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._alive():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            await send({"type": "lifespan.shutdown.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    @asynccontextmanager
    async def _alive(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for app in self.apps:
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield


def _addressed(send: Send, prefix: bytes) -> Send:
    """Return a `send` that puts the graph's prefix before its own addresses in headers."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, value.replace(start, start + prefix[1:] + b"/", 1))
                if (start := _ADDRESSED.get(name)) and value.startswith(start)
                else (name, value)
                for name, value in message.get("headers", ())
            ]
        await send(message)

    return sent
