"""The `Link` header by which a page of a list names the one after it (RFC 8288)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import Response

__all__ = ["link_next"]


def link_next(
    response: Response,
    path: str,
    *,
    after: str | int | None,
    **asked: str | float | Sequence[str] | None,
) -> None:
    """Name the next page in `Link`, if there is one.

    Args:
        response: Gets the header.
        path: Of the list, already quoted.
        after: The `next` of this page; None at the end of the list.
        asked: What else the client sent; None is left out, and each of several is sent.

    Example:
        >>> response = Response()
        >>> link_next(response, "/v1/jobs", after="a b", limit=2, label=None)
        >>> response.headers["Link"]
        '</v1/jobs?limit=2&after=a+b>; rel="next"'
    """
    if after is not None:
        told = {name: value for name, value in asked.items() if value is not None}
        query = urlencode(told | {"after": after}, doseq=True)
        response.headers["Link"] = f'<{path}?{query}>; rel="next"'
