"""The HTTP library, an extra of its own: whoever calls other servers takes it from here."""

from __future__ import annotations

from typing import Any

from kg.errors import MissingPartError

__all__ = ["http_library"]


def http_library() -> Any:
    """Return the module `httpx`.

    Raises:
        MissingPartError: It is not installed.
    """
    try:
        import httpx
    except ImportError as error:
        raise MissingPartError(
            "httpx is not installed", hint="pip install 'umbra-kg[client]'"
        ) from error
    return httpx
