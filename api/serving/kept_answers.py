"""Answers that are kept: the same request over the same graph is answered once.

What an answer follows from is named by one token: the snapshot, the files of the models, the
version of the store. A kept answer is given only under the token it was made under, which is also
what its `ETag` says: a client that sends it back in `If-None-Match` is told 304 without any work.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.keys import Key
from api.access.keys import Scope as KeyScope
from api.errors import HttpProblem
from api.serving.measures import Measures
from kg.errors import EngineError

__all__ = ["UNCHANGED", "KeptAnswers", "Token", "keeps"]

MOST_BYTES = 64 * 2**20
"""All kept bodies together."""
LARGEST = 2**20
"""A body that is kept."""

_OF_SNAPSHOT = "/v1/info"
"""What follows from the snapshot and the models alone."""
_OF_STORE = "/v1/entities/"
_ASKED = ("/v1/query", "/v1/why-not")
UNCHANGED: dict[int | str, dict[str, Any]] = {
    304: {"description": "Nothing has changed since the answer with the `ETag` in `If-None-Match`"}
}
"""What a read that is kept also answers; for a route's `responses`."""

_NO_STORE = frozenset({b"no-cache", b"no-store"})


Find = Callable[[], Coroutine[Any, Any, bytes | None]]


def keeps(method: str, path: str) -> bool:
    """Tell whether answers to such a request are kept."""
    if method == "GET":
        return path == _OF_SNAPSHOT or path.startswith(_OF_STORE)
    return method == "POST" and path in _ASKED


class Token:
    """What answers follow from now; asked for anew once it is of some age.

    Args:
        find: Asks the graph; None says that nothing can be kept yet.
        fresh_s: Seconds for which it counts as now. Whoever comes within them, or while it is being
            asked for, shares it; in their second half it is asked for again, and nobody waits.
        clock: Seconds (tests turn it).
    """

    def __init__(
        self, find: Find, fresh_s: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._find = find
        self._clock = clock
        self._fresh_s = fresh_s
        self._until = 0.0
        self._now = b""
        self._asking: asyncio.Task[bytes | None] | None = None

    def forget(self) -> None:
        """Ask anew for whoever comes next: something was written."""
        self._until = 0.0
        self._asking = None

    async def now(self) -> bytes | None:
        """Return the token, or None where nothing can be kept.

        Raises:
            EngineError: The graph cannot be asked.
        """
        left = self._until - self._clock()
        if left > 0:
            if left < self._fresh_s / 2:
                self._ask()
            return self._now
        return await asyncio.shield(self._ask())

    def _ask(self) -> asyncio.Task[bytes | None]:
        if self._asking is None:
            self._asking = asyncio.ensure_future(self._find())
            self._asking.add_done_callback(self._note)
        return self._asking

    def _note(self, asked: asyncio.Task[bytes | None]) -> None:
        failed = asked.cancelled() or asked.exception() is not None
        if self._asking is not asked:  # something was written meanwhile
            return
        self._asking = None
        found = None if failed else asked.result()
        if self._fresh_s and found is not None:
            self._now, self._until = found, self._clock() + self._fresh_s


@dataclass(frozen=True, slots=True)
class _Kept:
    headers: list[tuple[bytes, bytes]]
    body: bytes
    scope: KeyScope
    route: str


class KeptAnswers:
    """The middleware, behind the guard.

    Args:
        app: Makes the answers.
        token: What they follow from.
        of_snapshot: What those follow from that ask no store.
        open_store: Opens it where it is not open: without it there is no token yet, and who reads
            it first would have an answer without a tag.
        measures: Where hits are counted.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: Token,
        of_snapshot: Token,
        open_store: Callable[[], Awaitable[None]],
        measures: Measures | None = None,
    ) -> None:
        self._app = app
        self._token = token
        self._of_snapshot = of_snapshot
        self._open_store = open_store
        self._measures = measures
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, or keep what is answered."""
        if scope["type"] != "http" or not keeps(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
                self._token.forget()
                self._of_snapshot.forget()
            return
        body, receive = await _body(scope, receive)
        headers = dict(scope["headers"])
        try:
            token = await self._token_of(scope)
        except (EngineError, HttpProblem, TimeoutError):  # the route meets the same, and says it
            token = None
        if token is None:
            await self._app(scope, receive, send)
            return
        name = _name(scope, headers.get(b"accept", b""), body, token)
        kept = None if _NO_STORE & _directives(headers) else self._kept.get(name)
        key: Key = scope["state"]["key"]
        if kept is None or not key.may(kept.scope):
            self._count("miss")
            await self._app(scope, receive, self._keeping(scope, name, send))
            return
        scope["state"]["scope"], scope["kept_route"] = kept.scope, kept.route
        self._kept.move_to_end(name)
        await self._give(kept, name, headers, scope["method"], send)

    async def _token_of(self, scope: Scope) -> bytes | None:
        if scope["path"] == _OF_SNAPSHOT:
            return await self._of_snapshot.now()
        if scope["method"] == "GET":
            await self._open_store()
        return await self._token.now()

    async def _give(
        self, kept: _Kept, name: bytes, headers: dict[bytes, bytes], method: str, send: Send
    ) -> None:
        held = headers.get(b"if-none-match", b"")
        if method != "POST" and (_etag(name) in held or held.strip() == b"*"):
            self._count("same")
            some = [h for h in kept.headers if h[0] not in (b"content-length", b"content-type")]
            await send({"type": "http.response.start", "status": 304, "headers": some})
            await send({"type": "http.response.body", "body": b""})
            return
        self._count("hit")
        await send({"type": "http.response.start", "status": 200, "headers": list(kept.headers)})
        await send({"type": "http.response.body", "body": kept.body})

    def _keeping(self, scope: Scope, name: bytes, send: Send) -> Send:
        """Return a `send` that adds the tag, and keeps a good answer that comes in one piece."""
        start: Message = {}

        async def passed(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                start.update(message)
                if scope["method"] != "POST":
                    tags = [(b"etag", _etag(name)), (b"cache-control", b"private, no-cache")]
                    message = {**message, "headers": [*message.get("headers", ()), *tags]}
                    start["headers"] = message["headers"]
            elif start and message["type"] == "http.response.body":
                if not message.get("more_body"):
                    self._keep(scope, name, start, message.get("body", b""))
                start.clear()
            await send(message)

        return passed

    def _keep(self, scope: Scope, name: bytes, start: Message, body: bytes) -> None:
        if len(body) > LARGEST or name in self._kept:
            return
        route: str = getattr(scope.get("route"), "path", None) or scope["path"]
        headers = list(start["headers"])
        self._kept[name] = _Kept(headers, body, scope["state"].get("scope", "admin"), route)
        self._bytes += len(body)
        while self._bytes > MOST_BYTES:
            self._bytes -= len(self._kept.popitem(last=False)[1].body)

    def _count(self, found: str) -> None:
        if self._measures is not None:
            self._measures.looked_up(found)


async def _body(scope: Scope, receive: Receive) -> tuple[bytes, Receive]:
    """Return the body, one message by the guard, and a `receive` that gives it again."""
    if scope["method"] != "POST":
        return b"", receive
    message = await receive()
    again: list[Any] = [message]

    async def replayed() -> Message:
        return again.pop() if again else await receive()

    return message.get("body", b""), replayed


def _name(scope: Scope, accept: bytes, body: bytes, token: bytes) -> bytes:
    parts = (token, scope["method"].encode(), scope["path"].encode(
        "utf-8", "surrogatepass"), scope["query_string"], accept, body)  # fmt: skip
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.digest()


def _etag(name: bytes) -> bytes:
    return b'"' + name.hex().encode() + b'"'


def _directives(headers: dict[bytes, bytes]) -> set[bytes]:
    given = headers.get(b"cache-control", b"")
    return {one.strip().lower() for one in given.split(b",")} if given else set()
