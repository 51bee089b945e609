"""Whether a request's query fits its OpenAPI parameters as the wire carries it.

schemathesis makes a request that does not fit, such as an integer where a list of texts belongs.
An address holds texts only: `?label=7` *is* a list of one text, and a server that takes it is
right. What no reading of the texts can make fit is still a finding.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jsonschema import Draft202012Validator

__all__ = ["query_fits"]


def query_fits(url: str, parameters: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether a URL's query is one that the parameters of an operation allow.

    Args:
        url: As it was sent.
        parameters: The operation's, of the OpenAPI document; those of other places are left out.

    Example:
        >>> label = {"in": "query", "name": "label", "schema": {"type": "array"}}
        >>> query_fits("/v1/search?label=7", [label])
        True
    """
    sent = parse_qs(urlsplit(url).query, keep_blank_values=True)
    for parameter in parameters:
        if parameter["in"] != "query":
            continue
        texts = sent.get(parameter["name"])
        if texts is None:
            if parameter.get("required"):
                return False
            continue
        schema = Draft202012Validator(parameter["schema"])
        if not any(schema.is_valid(value) for value in _readings(texts)):
            return False
    return True


def _readings(texts: list[str]) -> Iterator[Any]:
    """Yield what texts of one name may stand for: a list, the last text, a number, a boolean."""
    yield texts
    yield texts[-1]
    try:
        value = json.loads(texts[-1])
    except ValueError:
        return
    if isinstance(value, bool | int | float):
        yield value
