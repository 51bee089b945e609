"""Where a page of edges ended, as a text that a client hands back.

The text holds the last edge itself, so that what is written between two pages shifts nothing: each
edge that stays is met once.
"""

from __future__ import annotations

import base64
import json

from kg.errors import InputError
from kg.model import EdgeKey, EntityKey

__all__ = ["cursor_of", "edge_of"]


def cursor_of(edge: EdgeKey) -> str:
    """Return the cursor of what comes after an edge.

    Example:
        >>> edge_of(cursor_of(("country:TR", "borders", "country:GR")))
        ('country:TR', 'borders', 'country:GR')
    """
    return base64.urlsafe_b64encode(json.dumps(edge).encode()).decode().rstrip("=")


def edge_of(cursor: str) -> EdgeKey:
    """Return the edge that a cursor names.

    Raises:
        InputError: It is none.
    """
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        head, relation, tail = parts if isinstance(parts, list) else []
        "".join((head, relation, tail)).encode()  # texts, and no half of a character in them
    except (ValueError, TypeError, RecursionError):
        raise InputError(
            "this is no cursor", where="after", hint="send the `next` of the page before"
        ) from None
    return EntityKey(head), relation, EntityKey(tail)
