"""Whether a client holds already what it asks for, as its `If-None-Match` says."""

from __future__ import annotations

from fastapi import Request

__all__ = ["is_held"]


def is_held(request: Request, tag: str) -> bool:
    """Tell whether a request names the tag of what would be answered.

    Args:
        request: A request.
        tag: With its quotes; a weak one of the client's is the same.

    Example:
        >>> scope = {"type": "http", "headers": [(b"if-none-match", b'W/"a", "b"')]}
        >>> is_held(Request(scope), '"a"'), is_held(Request(scope), '"c"')
        (True, False)
    """
    held = request.headers.get("if-none-match", "")
    return tag in held or held.strip() == "*"
