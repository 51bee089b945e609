"""What every request passes before a route sees it, and every response on its way out.

Pure ASGI: request id, host name, key and its limits, size and kind of the body, and a problem
instead of a traceback. What every response gets stands in `api.passage`; what a key may do is asked
by the route (`api.access.scopes`). Keys and bodies are never logged.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.audit import AuditLog
from api.access.graph_keys import GraphKeys
from api.access.keys import Key
from api.access.limits import KeyLimits
from api.access.scopes import OPERATOR, is_open
from api.errors import HttpProblem
from api.passage import CONTENT_SECURITY_POLICY, RECONCILE, Passage
from api.serving.forwarding import CLIENT
from api.serving.measures import Measures

__all__ = ["BODY_WITHIN_S", "CONTENT_SECURITY_POLICY", "Guard", "GuardConfig"]

LOG = logging.getLogger("umbra.http")

NOBODY = Key(id="", name="", scopes=(), digest="", created="")
"""Who asks without a key where one is needed; open addresses only."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
BODY_WITHIN_S = 30.0
_FORM = "application/x-www-form-urlencoded"
_OTHER_KINDS = {"/v1/sparql": ("application/sparql-query", _FORM), RECONCILE: (_FORM,)}
"""Bodies that are not JSON, where a standard wants them: by these addresses nothing is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardConfig:
    """What the guard lets pass.

    Attributes:
        max_body_bytes: Largest body.
        max_requests: Requests that may be under way at once, streams of events too.
        api_key: Key of the operator, who may do all; empty for none.
        keys: Further keys.
        keys_needed: Refuse requests without a key. Said once at the start, so that no key revoked
            later can open a server.
        audit: Where changes are noted.
        origins: Addresses of OpenRefine and its like, whose pages may read the reconciliation
            service; none may read anything else.
        hosts: Host names that the server answers to; empty for any. Without this check a page of
            a stranger could reach a server on loopback by a name that resolves to it.
        limits: What each key may use.
        measures: Where requests are counted.
        leaving: Tells whether connections are to be closed: the server ends, or is replaced.
        internal: Requests come from other processes of the server, which say whose they are.
    """

    max_body_bytes: int
    max_requests: int = 500
    api_key: str = ""
    keys: GraphKeys | None = None
    keys_needed: bool = False
    audit: AuditLog | None = None
    origins: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
    limits: KeyLimits | None = None
    measures: Measures | None = None
    leaving: Callable[[], bool] = lambda: False
    internal: bool = False


class Guard:
    """The middleware.

    Args:
        app: What comes behind it.
        config: What it lets pass.
    """

    def __init__(self, app: ASGIApp, *, config: GuardConfig) -> None:
        self._app = app
        self._config = config
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, pass it on, and see its response off."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers.get("x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id
        config = self._config
        if config.internal:
            scope["client"] = (headers.get(CLIENT.decode(), ""), 0)
        leaving = config.leaving()
        passage = Passage(scope, send, request_id, config.origins, leaving=leaving)
        self._open += 1
        if config.measures is not None:
            config.measures.begun()
        try:
            key = scope["state"]["key"] = self._check(scope, headers)
            limited = config.limits is not None and key is not OPERATOR and key is not NOBODY
            with config.limits.used(key) if config.limits and limited else nullcontext():
                await self._app(scope, await self._with_body(headers, receive), passage.send)
        except HttpProblem as problem:
            await passage.refuse(problem)
        except UnicodeEncodeError:  # JSON can hold half of a surrogate pair, UTF-8 cannot
            await passage.refuse(HttpProblem("bad-request", "a text holds half a character"))
        except Exception:
            LOG.exception("request %s failed", request_id)
            await passage.refuse(
                HttpProblem("internal", "the server's log has more under the request id")
            )
        finally:
            self._open -= 1
            if config.measures is not None:
                config.measures.ended()
            passage.close(config.measures, config.audit)

    def _check(self, scope: Scope, headers: Headers) -> Key:
        """Return whose request it is, if it may pass."""
        config = self._config
        if self._open > config.max_requests:
            raise HttpProblem("busy", f"{config.max_requests} requests are being answered")
        if len(headers.getlist("host")) > 1:
            raise HttpProblem("bad-request", "more than one Host header")
        if config.hosts and _host_name(headers.get("host", "")) not in config.hosts:
            raise HttpProblem(
                "wrong-host", "this host name is not the server's", hint="use the printed address"
            )
        key = self._key(headers) if config.keys_needed else OPERATOR
        if key is None and not is_open(scope["path"]):
            raise HttpProblem(
                "unauthorized",
                "the request carries no valid key",
                hint="send it as `Authorization: Bearer KEY`",
            )
        if scope["method"] in ("POST", "PUT", "PATCH"):
            _check_kind(headers, _OTHER_KINDS.get(scope["path"], ()))
        return key or NOBODY

    def _key(self, headers: Headers) -> Key | None:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            given = headers.get("x-api-key", "")
        given, operators = given.strip(), self._config.api_key
        if operators and hmac.compare_digest(given.encode(), operators.encode()):
            return OPERATOR
        return self._config.keys.find(given) if self._config.keys is not None else None

    async def _with_body(self, headers: Headers, receive: Receive) -> Receive:
        """Read the body up to the limit and return a `receive` that gives it as one message."""
        limit = self._config.max_body_bytes
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            raise HttpProblem("bad-request", "Content-Length is no number")
        if len(length) > 18 or int(length) > limit:
            raise HttpProblem("body-too-large", f"the body is larger than {limit} bytes")
        if not _has_body(headers):
            return receive
        parts: list[bytes] = []
        size, more = 0, True
        with anyio.move_on_after(BODY_WITHIN_S) as clock:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise HttpProblem("client-closed-request", "the client left in mid-request")
                part: bytes = message.get("body", b"")
                size += len(part)
                if size > limit:
                    raise HttpProblem("body-too-large", f"the body is larger than {limit} bytes")
                parts.append(part)
                more = message.get("more_body", False)
        if clock.cancelled_caught:
            raise HttpProblem("bad-request", f"no whole body within {BODY_WITHIN_S:.0f} s")
        whole: list[Message] = [{"type": "http.request", "body": b"".join(parts)}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        return replay


def _check_kind(headers: Headers, others: Collection[str]) -> None:
    """Let only JSON in; and no other site, whose forms could send without asking first.

    Args:
        headers: Of the request.
        others: Further kinds that its address takes.
    """
    if not _has_body(headers):
        if not _is_foreign(headers):
            return
        raise HttpProblem("unsupported-media-type", "another site sent this without a JSON body")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = kind == "application/json" or kind.endswith("+json")
    if not is_json and kind not in others:
        # also the wall against forms of other sites: JSON needs a preflight, which fails
        raise HttpProblem(
            "unsupported-media-type",
            f"the body is {kind[:60] or 'of no declared type'}",
            hint="send `Content-Type: application/json`",
        )


def _request_id(given: str | None) -> str:
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given
    return secrets.token_hex(8)


def _host_name(host: str) -> str:
    """Return the name of a Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _is_foreign(headers: Headers) -> bool:
    """Tell whether a page of another address sent this; browsers then name it in `Origin`."""
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")
