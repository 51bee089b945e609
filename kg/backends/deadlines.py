"""Something to be done if a time passes; one thread waits for all: one a query would be slow."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

__all__ = ["Deadline", "waiting"]

IDLE_S = 5.0
"""How long the thread stays without anything to wait for."""

_changed = threading.Condition()
_waiting: list[tuple[float, int, Deadline]] = []
_cancelled = 0
"""How many of those that wait are cancelled."""
_numbers = itertools.count()
_watcher: threading.Thread | None = None
_wakes_at = 0.0
"""When the thread looks again by itself: for what is due later, it need not be woken."""


class Deadline:
    """Does something once, in a thread of its own, unless it is cancelled before.

    Args:
        seconds: From now.
        action: What to do.

    Example:
        >>> Deadline(60.0, print).cancel()
    """

    def __init__(self, seconds: float, action: Callable[[], object]) -> None:
        global _watcher
        self.action: Callable[[], object] | None = action
        self.is_over = False
        self.runner: threading.Thread | None = None
        with _changed:
            due = time.monotonic() + seconds
            heapq.heappush(_waiting, (due, next(_numbers), self))
            if _watcher is None or not _watcher.is_alive():  # it is not there after a fork
                _watcher = threading.Thread(target=_watch, name="deadlines", daemon=True)
                _watcher.start()
            elif due < _wakes_at:
                _changed.notify()

    def cancel(self) -> None:
        """Do it no more; if it is being done, wait until it is done."""
        global _cancelled
        with _changed:
            if not self.is_over and self.runner is None:
                _cancelled += 1
            self.is_over = True
            self.action = None  # what it holds must not wait for the time
            if 2 * _cancelled > len(_waiting):
                _forget_cancelled()
        if self.runner is not None:
            self.runner.join()


def waiting() -> int:
    """Return how many are kept, cancelled ones among them: at most as many as are not."""
    with _changed:
        return len(_waiting)


def _forget_cancelled() -> None:
    global _cancelled
    _waiting[:] = [entry for entry in _waiting if not entry[2].is_over]
    heapq.heapify(_waiting)
    _cancelled = 0


def _watch() -> None:
    global _watcher, _wakes_at
    with _changed:
        while True:
            if _waiting and _waiting[0][2].is_over:
                _forget_cancelled()
            now = time.monotonic()
            _wakes_at = _waiting[0][0] if _waiting else now + IDLE_S
            left = _wakes_at - now
            if left > 0:
                if not _changed.wait(left) and not _waiting:
                    _watcher = None
                    return
                continue
            due = heapq.heappop(_waiting)[2]
            due.runner = threading.Thread(target=due.action, daemon=True)
            due.runner.start()
