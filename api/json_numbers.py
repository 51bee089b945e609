"""Numbers in request bodies: as JSON Schema reads them, so that no text or truth value is one."""

from __future__ import annotations

from pydantic import BeforeValidator

__all__ = ["JSON_NUMBER"]


def _number(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError("a number is needed")
    return value


JSON_NUMBER = BeforeValidator(_number)
"""Annotates a number of a request; 3.0 is a whole one in JSON, ``true`` and ``"3"`` are none."""
