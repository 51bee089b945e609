"""Values of attributes: from what a file holds to what a graph holds, by a declared type."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from kg.model import AttributeValue, Scalar
from kg.templates import bad_field

__all__ = ["TYPES", "convert"]

LARGEST = 2**63 - 1
TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0")


def convert(value: Any, kind: str | None, *, column: str) -> AttributeValue:
    """Return a value of a declared type.

    Args:
        value: What the file holds: plain JSON, or a text from CSV.
        kind: A name of `TYPES`, with ``[]`` for a list of them; None to keep what it is.
        column: The field, for the message.

    Raises:
        RecordError: The value is of another type, or no store can hold it.

    Example:
        >>> convert("28748", "float", column="area"), convert(["a", "b"], "str[]", column="x")
        (28748.0, ('a', 'b'))
    """
    if isinstance(value, list | tuple):
        if kind is not None and not kind.endswith("[]"):
            raise bad_field(f"a list, not {kind}", column)
        single = TYPES[kind.removesuffix("[]")] if kind else _as_is
        return tuple(single(item, column) for item in value)
    if kind is not None and kind.endswith("[]"):
        raise bad_field(f"not a list but {type(value).__name__}", column)
    return (TYPES[kind] if kind else _as_is)(value, column)


def _as_is(value: Any, column: str) -> Scalar:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return _int(value, column)
    if isinstance(value, float):
        return _float(value, column)
    raise bad_field(f"not a single value but {type(value).__name__}", column)


def _str(value: Any, column: str) -> str:
    if isinstance(value, str):
        return value
    raise bad_field(f"{value!r:.80} is not a text", column)


def _int(value: Any, column: str) -> int:
    number = value
    if isinstance(value, str):
        try:
            number = int(value)
        except ValueError:
            number = None
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    if isinstance(number, bool) or not isinstance(number, int) or not _fits(number):
        raise bad_field(f"{value!r:.80} is not a whole number of 64 bits", column)
    return number


def _fits(number: int) -> bool:
    return -LARGEST - 1 <= number <= LARGEST


def _float(value: Any, column: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise bad_field(f"{value!r:.80} is not a finite number", column)
    return number


def _bool(value: Any, column: str) -> bool:
    if isinstance(value, bool):
        return value
    text = value.strip().lower() if isinstance(value, str) else None
    if text in TRUE or text in FALSE:
        return text in TRUE
    raise bad_field(f"{value!r:.80} is neither true nor false", column)


TYPES: dict[str, Callable[[Any, str], Scalar]] = {
    "str": _str,
    "int": _int,
    "float": _float,
    "bool": _bool,
}
"""Types that a mapping may declare, by name."""
