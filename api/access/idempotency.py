"""The `Idempotency-Key` header on routes that change something: declared, and kept to."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from starlette.concurrency import run_in_threadpool

from api.access.keys import Key
from api.access.once import MAX_KEY, Claim, KeptReply, Once, fingerprint
from api.problems import merged, problems

__all__ = ["REPLAYED", "once", "takes_key_itself", "with_key_declared"]

REPLAYED = "Idempotency-Replayed"
"""Header of an answer that was given before: nothing was done for it."""
_NAME = "idempotency_key"
_KEPT_HEADERS = ("content-type", "location")

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=MAX_KEY,
        description="the same key with the same body is done once and answered the same for a day",
    ),
]


async def _declared(idempotency_key: IdempotencyKey = None) -> None:
    """Have the header in OpenAPI, and its length checked."""


def takes_key_itself(endpoint: Callable[..., Any]) -> bool:
    """Tell whether a route keeps to the key in its own way."""
    return _NAME in inspect.signature(endpoint).parameters


def with_key_declared(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a route's options with the header and the problems that it brings."""
    responses = options.get("responses") or {}
    mine = problems("idempotency-key-in-use", "idempotency-key-reused")
    return {
        **options,
        "dependencies": [*(options.get("dependencies") or ()), Depends(_declared)],
        "responses": merged(responses, mine),
    }


async def once(
    request: Request, handler: Callable[[Request], Coroutine[Any, Any, Response]]
) -> Response:
    """Answer a request, or give again what was answered to its idempotency key.

    Raises:
        HttpProblem: A request with this key runs now, or it was used for another request.
    """
    given = request.headers.get(_NAME.replace("_", "-"), "")
    if not 1 <= len(given) <= MAX_KEY:  # the route says what is wrong with a long one
        return await handler(request)
    kept: Once = request.app.state.once
    key: Key = request.state.key
    address = f"{request.url.path}?{request.url.query}"
    asked = fingerprint(request.method, address, await request.body())
    with ExitStack() as held:
        claim: Claim = await run_in_threadpool(held.enter_context, kept.claim(key.id, given, asked))
        if claim.reply is not None:
            headers = {**claim.reply.headers, REPLAYED: "true"}
            return Response(claim.reply.body, claim.reply.status, headers)
        response = await handler(request)
        if response.status_code < 300:
            await run_in_threadpool(claim.keep, _reply(asked, response))
        return response


def _reply(asked: str, response: Response) -> KeptReply:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return KeptReply(asked, response.status_code, headers, bytes(response.body).decode())
