"""Where a page of a list ended, as a text that a client hands back.

The text holds what the last entry is sorted by, so that what is written between two pages shifts
nothing: each entry that stays is met once.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence

from kg.errors import InputError
from kg.model import EdgeKey, EntityKey

__all__ = ["cursor_of", "edge_of", "no_cursor", "place_of", "score_of", "texts_of"]


def cursor_of(texts: Sequence[str]) -> str:
    """Return the cursor of what comes after an entry, such as an edge.

    Example:
        >>> edge_of(cursor_of(("country:TR", "borders", "country:GR")))
        ('country:TR', 'borders', 'country:GR')
    """
    return base64.urlsafe_b64encode(json.dumps(texts).encode()).decode().rstrip("=")


def texts_of(cursor: str, count: int) -> tuple[str, ...]:
    """Return the texts that a cursor was made of.

    Args:
        cursor: From a client.
        count: How many texts an entry of the list is sorted by.

    Raises:
        InputError: It is no cursor of such a list.
    """
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        texts = tuple(parts) if isinstance(parts, list) else ()
        "".join(texts).encode()  # texts, and no half of a character in them
    except (ValueError, TypeError, RecursionError):
        raise no_cursor() from None
    if len(texts) != count:
        raise no_cursor()
    return texts


def edge_of(cursor: str) -> EdgeKey:
    """Return the edge that a cursor names.

    Raises:
        InputError: It is none.
    """
    head, relation, tail = texts_of(cursor, 3)
    return EntityKey(head), relation, EntityKey(tail)


def place_of(cursor: str, names: int = 1) -> tuple[float, tuple[str, ...]]:
    """Return a place in a ranked list: by a number, the highest first, then by names.

    Args:
        cursor: From a client.
        names: How many names part entries of one number.

    Raises:
        InputError: It is none.

    Example:
        >>> place_of(cursor_of(("0.5", "case-7")))
        (-0.5, ('case-7',))
    """
    number, *rest = texts_of(cursor, 1 + names)
    return -score_of(number), tuple(rest)


def score_of(text: str) -> float:
    """Return the number that an entry is ranked by, from a cursor's text.

    Raises:
        InputError: It is none, or not finite.

    Example:
        >>> score_of(repr(0.1))
        0.1
    """
    try:
        value = float(text)
    except ValueError:
        raise no_cursor() from None
    if not math.isfinite(value):
        raise no_cursor()
    return value


def no_cursor() -> InputError:
    """Return the error that says that a text is no cursor."""
    return InputError("this is no cursor", where="after", hint="send the `next` of the page before")
