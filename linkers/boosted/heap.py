"""Gives memory that is free in the heap back to the system, so that a long job stays as small.

Arrays of a few megabytes come and go with each block of mentions, small values that are remembered
stay between them: what is free lies in ever more pieces, and the process grows though it holds no
more. glibc gives such pieces back when asked; where there is none, nothing is done.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

__all__ = ["give_back"]


def give_back() -> bool:
    """Return whether anything could be given back.

    Example:
        >>> give_back() in (True, False)
        True
    """
    trim = _trim()
    return trim is not None and bool(trim(0))


@cache
def _trim() -> Any:
    try:
        found = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library, or none that can be asked
        return None
    found.argtypes, found.restype = [ctypes.c_size_t], ctypes.c_int
    return found
