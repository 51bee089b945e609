"""Rows of a statement as one JSON text, which a server with a function for it reads back.

The driver packs maps value by value in Python, which takes most of its time for a thousand edges
(`python -m bench.upsert_parts --edges 1000`). Only texts and lists of texts go so: what type a
number of JSON has is each reader's own choice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, LiteralString

__all__ = ["as_text"]

ROWS: LiteralString = "UNWIND $rows AS row"
LONGEST = 4_000_000
"""Characters; the server holds a text and what it reads of it in memory at once."""


def as_text(
    statement: LiteralString, parameters: Mapping[str, Any], read: LiteralString | None
) -> tuple[LiteralString, Mapping[str, Any]]:
    """Return statement and parameters with `$rows` as one text where that is possible.

    Args:
        statement: May begin with other clauses; it takes its rows by ``UNWIND $rows AS row``.
        parameters: Of the statement.
        read: How the server reads ``$rows`` as JSON, if it can.

    Example:
        >>> text = "UNWIND $rows AS row RETURN row.a"
        >>> as_text(text, {"rows": [{"a": "b"}]}, "read($rows)")
        ('UNWIND read($rows) AS row RETURN row.a', {'rows': '[{"a": "b"}]'})
        >>> as_text(text, {"rows": [{"a": 1}]}, "read($rows)")[1]
        {'rows': [{'a': 1}]}
    """
    rows = parameters.get("rows")
    if read is None or rows is None or not all(map(_is_text, _values(rows))):
        return statement, parameters
    # not as ASCII: half of a character pair then fails here as it does in the driver
    text = json.dumps(rows, ensure_ascii=False)
    if len(text) > LONGEST:
        return statement, parameters
    return statement.replace(ROWS, f"UNWIND {read} AS row", 1), {**parameters, "rows": text}


def _values(rows: Iterable[Mapping[str, Any]]) -> Iterable[Any]:
    return (value for row in rows for value in row.values())


def _is_text(value: Any) -> bool:
    if type(value) is list:
        return all(type(item) is str for item in value)
    return type(value) is str
