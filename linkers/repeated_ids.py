"""Rows of a table whose id an earlier row has: links of such rows cannot be joined by their ids."""

from __future__ import annotations

from array import array

import numpy as np

__all__ = ["RepeatedIds"]

MAX_IDS = 5_000_000
"""Rows that are looked at, eight bytes each; of later ones nothing is told."""


class RepeatedIds:
    """Counts rows whose id an earlier row has, by hashes of 64 bits.

    Example:
        >>> ids = RepeatedIds()
        >>> for name in ("a", "b", "a", "a"):
        ...     ids.add(name)
        >>> ids.count
        2
    """

    def __init__(self) -> None:
        self._hashes = array("q")

    def add(self, name: str) -> None:
        """Look at the id of a row."""
        if len(self._hashes) < MAX_IDS:
            self._hashes.append(hash(name))

    @property
    def count(self) -> int:
        """How many rows have the id of an earlier one."""
        return len(self._hashes) - len(np.unique(np.asarray(self._hashes)))
