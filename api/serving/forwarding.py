"""Hands requests about jobs to the one process that runs them, where several serve."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import h11
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import HttpProblem

__all__ = ["CLIENT", "PREFIX", "Forwarding"]

PREFIX = "/v1/jobs"
CLIENT = b"x-umbra-client"
"""Header that says from where a forwarded request came; read from other processes alone."""

_BETWEEN = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"x-request-id"})
"""Headers that are of one connection, or that the guard sets itself."""
_OURS = _BETWEEN | {b"content-length", b"expect", b"upgrade", b"te", b"trailer", CLIENT}
"""Headers of a request that are not passed on."""
_CHUNK = 65_536


class Forwarding:
    """The middleware, behind the guard.

    Args:
        app: Answers everything else.
        socket: Where the other process listens.
    """

    def __init__(self, app: ASGIApp, *, socket: Path) -> None:
        self._app = app
        self._socket = socket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the other process do it."""
        if scope["type"] != "http" or not _is_about_jobs(scope["path"]):
            await self._app(scope, receive, send)
            return
        scope["kept_route"] = PREFIX
        body = (await receive()).get("body", b"")
        answering = asyncio.ensure_future(self._forward(scope, body, send))
        gone = asyncio.ensure_future(_client_gone(receive))
        await asyncio.wait((answering, gone), return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if not answering.done():
            answering.cancel()
            with suppress(asyncio.CancelledError):
                await answering
            return
        await answering

    async def _forward(self, scope: Scope, body: bytes, send: Send) -> None:
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._socket))
        except OSError as error:
            raise HttpProblem("not-ready", "the process that runs jobs is away") from error
        try:
            line = h11.Connection(h11.CLIENT)
            for sent in (_request(scope, body), h11.Data(data=body), h11.EndOfMessage()):
                writer.write(line.send(sent) or b"")
            await writer.drain()
            started = False
            async for event in _events(line, reader):
                if isinstance(event, h11.Response):
                    started = True
                    given = [(n, v) for n, v in event.headers if n not in _BETWEEN]
                    head = {"type": "http.response.start", "status": event.status_code}
                    await send({**head, "headers": given})
                elif isinstance(event, h11.Data):
                    part = {"type": "http.response.body", "body": bytes(event.data)}
                    await send({**part, "more_body": True})
            if not started:
                raise HttpProblem("not-ready", "the process that runs jobs has just ended")
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            writer.close()


def _is_about_jobs(path: str) -> bool:
    return path == PREFIX or path.startswith(PREFIX + "/")


def _request(scope: Scope, body: bytes) -> h11.Request:
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    client = (scope.get("client") or ("",))[0]
    headers = [(name, value) for name, value in scope["headers"] if name not in _OURS]
    headers += [
        (b"connection", b"close"),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", scope["state"]["request_id"].encode()),
        (CLIENT, client.encode()),
    ]
    if not any(name == b"host" for name, _ in headers):
        headers.append((b"host", b"127.0.0.1"))
    target = scope["root_path"].encode() + scope["raw_path"] + query  # of another graph's jobs
    return h11.Request(method=scope["method"], target=target, headers=headers)


async def _events(line: h11.Connection, reader: asyncio.StreamReader) -> AsyncIterator[h11.Event]:
    while True:
        event = line.next_event()
        if event is h11.NEED_DATA:
            line.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return
        elif isinstance(event, h11.Event):
            yield event


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
