"""The last comparison of two graphs, held so that its other pages cost no comparison again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any

__all__ = ["MOST", "HeldDifference", "Ways"]

MOST = 1_000_000
"""Rows of a comparison that is held, all ways to differ together."""
Ways = tuple[list[tuple[str, Any]], ...]
"""For each way to differ its rows, each after its place, ascending."""


class HeldDifference:
    """Holds one comparison; who asks for the same meanwhile waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._name: Hashable = None
        self._ways: Ways = ()

    def of(self, name: Hashable, compare: Callable[[], Ways]) -> Ways:
        """Return a comparison, made only if it is not the one that is held.

        Args:
            name: Of both graphs as they are now, such as their hashes.
            compare: Makes it.
        """
        with self._lock:
            if self._name != name:
                ways = compare()
                if sum(map(len, ways)) > MOST:
                    return ways
                self._name, self._ways = name, ways
            return self._ways
