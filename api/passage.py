"""One response on its way out: headers that all have, a line of log, and of audit for a change."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope, Send

from api.access.audit import AuditLog
from api.access.keys import Key
from api.errors import HttpProblem, problem_of
from api.problems import problem_response
from api.serving.measures import Measures

__all__ = ["CONTENT_SECURITY_POLICY", "RECONCILE", "Passage"]

LOG = logging.getLogger("umbra.http")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""For all responses: scripts and styles from our own files only, nothing inline."""

RECONCILE = "/v1/reconcile"
"""The service whose protocol asks for forms and for readers from other addresses."""

_HEADERS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]


class Passage:
    """One response on its way out.

    Args:
        scope: Of the request.
        send: Where the response goes.
        request_id: Of the request.
        origins: Addresses whose pages may read the reconciliation service.
        leaving: Whether the server wants its connections closed: it ends, or is replaced.
    """

    def __init__(
        self, scope: Scope, send: Send, request_id: str, origins: tuple[str, ...], *, leaving: bool
    ) -> None:
        self._scope = scope
        self._send = send
        self._request_id = request_id
        self._reader: str | None = None
        if origins and scope["path"].startswith(RECONCILE):
            origin = Headers(scope=scope).get("origin", "")
            self._reader = origin if origin in origins else None
        self._leaving = leaving
        self._started_at = time.perf_counter()
        self._status: int | None = None

    async def send(self, message: Message) -> None:
        """Pass a message on; the first with the headers that it lacks."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            given = list(message.get("headers", ()))
            names = {name for name, _ in given}
            given += [header for header in _HEADERS if header[0] not in names]
            given.append((b"x-request-id", self._request_id.encode()))
            if self._leaving:
                given.append((b"connection", b"close"))
            message["headers"] = given
            if self._reader is not None:
                headers = MutableHeaders(raw=given)
                headers["Access-Control-Allow-Origin"] = self._reader
                headers["Cross-Origin-Resource-Policy"] = "cross-origin"
                headers.add_vary_header("Origin")
                message["headers"] = headers.raw
        await self._send(message)

    async def refuse(self, problem: HttpProblem) -> None:
        """Answer with a problem, unless an answer has begun."""
        if self._status is not None:  # too late for another response
            return
        extra = {"WWW-Authenticate": "Bearer"} if problem.slug == "unauthorized" else {}
        if problem.slug in ("body-too-large", "bad-request"):
            extra["Connection"] = "close"  # the rest of the body is not read
        response = problem_response(problem_of(problem), self._scope, extra)
        await response(self._scope, _no_more, self.send)

    def close(self, measures: Measures | None, audit: AuditLog | None) -> None:
        """Count and log the request, and note it if it asked for a change."""
        took = time.perf_counter() - self._started_at
        scope, state = self._scope, self._scope["state"]
        key: Key | None = state.get("key")
        status = state.get("ended_with", self._status)  # of a body that failed in its midst
        if measures is not None:
            measures.answered(scope, status, took)
        asked = f"{scope.get('root_path', '')}{scope['path']}"
        path = asked.encode("unicode_escape").decode()[:200]
        facts = {
            "request": self._request_id,
            "method": scope["method"],
            "path": path,
            "status": status,
            "ms": round(took * 1000, 1),
            "key": key.id if key else "",
        }
        LOG.info(
            "%s %s %s %.0f ms %s",
            scope["method"], path, status, took * 1000, self._request_id,
            extra={"facts": facts},
        )  # fmt: skip
        if audit is None or key is None or state.get("scope", "read") == "read":
            return
        if scope["method"] not in ("GET", "HEAD"):
            audit.append(self._noted(key))

    def _noted(self, key: Key) -> dict[str, Any]:
        return {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "request": self._request_id,
            "key": key.id,
            "name": key.name,
            "from": (self._scope.get("client") or ("",))[0],
            "method": self._scope["method"],
            "path": self._scope["path"],
            "status": self._status,
        }


async def _no_more() -> Message:
    return {"type": "http.disconnect"}
