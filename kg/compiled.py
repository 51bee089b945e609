"""Compiles a function for this processor by numba; the machine code is kept between processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

__all__ = ["compiled"]

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function, signature: str) -> Function:
    """Return a function that runs as machine code, compiled at once.

    What was compiled lies beside the module, or where numba may write instead; with no such place,
    or a full disk, each process compiles anew (a second or two).

    Args:
        function: What numba can compile, on arrays and numbers.
        signature: Its types, as numba writes them.

    Example:
        >>> compiled(lambda n: n + 1, "int64(int64)")(2)
        3
    """
    import numba  # takes half a second, and most commands link nothing

    try:
        made: Function = numba.njit(signature, cache=True, error_model="numpy")(function)
    except (OSError, RuntimeError):  # numba's own word for "no place to write to" is the latter
        made = numba.njit(signature, error_model="numpy")(function)
    return made
