"""Forms as browsers send them, for the two protocols that ask for them."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import Request

from api.errors import HttpProblem

__all__ = ["form_fields"]

_MAX_FIELDS = 300


async def form_fields(request: Request) -> dict[str, list[str]]:
    """Return the values of each field of a form.

    Raises:
        HttpProblem: ``bad-request``: the body is not UTF-8, or no form.
    """
    try:
        body = (await request.body()).decode()
        return parse_qs(body, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise HttpProblem("bad-request", "the body is not UTF-8, or no form") from error
