"""Which scope a route needs: said once where its router is made, checked before its body is read.

A route whose router says nothing needs `admin`, so that forgetting opens no door.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.access.idempotency import once, takes_key_itself, with_key_declared
from api.access.keys import Key, Scope
from api.errors import HttpProblem

__all__ = [
    "OPEN_PATHS",
    "OPERATOR",
    "ScopedRoute",
    "admin_by_default",
    "also_needs",
    "is_open",
    "scoped",
]

OPEN_PATHS = ("/", "/healthz", "/readyz", "/openapi.json", "/explorer/")
"""Addresses that need no key: the page asks for the key itself."""

OPERATOR = Key(id="operator", name="operator", scopes=("admin",), digest="", created="")
"""Who asks where no key is needed, or with the key of the settings."""

_READING = frozenset({"GET", "HEAD"})


class ScopedRoute(APIRoute):
    """A route that asks whether the key of a request may use it, and says so in OpenAPI."""

    reads: Scope = "admin"
    """Needed to read."""
    changes: Scope = "admin"
    """Needed for every other method."""
    writes: bool = False
    """Whether its other methods change something; they then take an idempotency key."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        methods = frozenset(options.get("methods") or _READING)
        self.needs: Scope = self.reads if methods <= _READING else self.changes
        self.once = self.writes and not methods <= _READING and not takes_key_itself(endpoint)
        if self.once:
            options = with_key_declared(options)
        declared = {"security": [{"key": [self.needs]}]}
        options["openapi_extra"] = (options.get("openapi_extra") or {}) | declared
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler behind the check."""
        handler = super().get_route_handler()

        async def checked(request: Request) -> Response:
            _check(request, self.needs)
            return await (once(request, handler) if self.once else handler(request))

        return checked


def scoped(reads: Scope, *, changes: Scope | None = None) -> type[ScopedRoute]:
    """Return the class of routes that need a scope; a router takes it as `route_class`.

    Args:
        reads: Needed for GET, and for every other method unless `changes` says more.
        changes: Needed for every other method, which then changes something and takes an
            idempotency key; without it POST only asks.

    Example:
        >>> from fastapi import APIRouter
        >>> router = APIRouter(route_class=scoped("read", changes="write"))
    """
    said = {"reads": reads, "changes": changes or reads, "writes": changes is not None}
    return type("Scoped", (ScopedRoute,), said)


async def admin_by_default(request: Request) -> None:
    """Ask for `admin` where a route names no scope; a dependency of the whole application."""
    if not hasattr(request.state, "scope") and not is_open(request.url.path):
        _check(request, "admin")


def is_open(path: str) -> bool:
    """Tell whether an address needs no key."""
    return any(
        path == p or (p.endswith("/") and len(p) > 1 and path.startswith(p)) for p in OPEN_PATHS
    )


def also_needs(request: Request, *scopes: Scope) -> None:
    """Ask for further scopes, where what a route does depends on the body.

    Raises:
        HttpProblem: The key lacks one of them.
    """
    for scope in scopes:
        _check(request, scope)


def _check(request: Request, scope: Scope) -> None:
    key: Key = request.state.key
    request.state.scope = scope  # the guard tells changes from reading by it
    if not key.may(scope):
        raise HttpProblem(
            "insufficient-scope",
            f"the key lacks the scope {scope!r}",
            hint=f"umbra keys create NAME --scope {scope}",
        )
