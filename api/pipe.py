"""Lines on their way from a thread to the event loop: few are held, a slow reader is waited for.

The thread waits while the pipe is full, and gives up when its time is over; the loop takes what has
come, all at once, soon after the first of it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from kg.errors import QueryTimeoutError

__all__ = ["MOST_BYTES", "MOST_LINES", "Pipe"]

MOST_LINES = 1000
"""Lines that are held; the thread waits while there are as many."""
MOST_BYTES = 256 * 1024
"""Bytes that are held, beside one line of any length."""
GATHER_S = 0.05
"""How long lines are gathered after the first of a piece, so that many travel together."""


class Pipe:
    """One writing thread, one reading task; made by the task, in its event loop.

    Args:
        within_s: Seconds from now until which the thread may wait for the reader.
    """

    def __init__(self, *, within_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._within_s = within_s
        self._until = time.monotonic() + within_s
        self._changed = threading.Condition()
        self._lines: list[bytes] = []
        self._size = 0
        self._is_left = False
        self._is_ended = False
        self._some = asyncio.Event()
        self._enough = asyncio.Event()

    def put(self, line: bytes) -> bool:
        """Hand over a line; of the thread.

        Returns:
            False if nobody reads any more.

        Raises:
            QueryTimeoutError: The reader took too long.
        """
        with self._changed:
            while self._is_full and not self._is_left:
                if not self._changed.wait(max(0.0, self._until - time.monotonic())):
                    raise QueryTimeoutError(
                        f"the rows were not taken within {self._within_s:g} s",
                        hint="read faster, ask for less, or raise the time limit",
                    )
            if self._is_left:
                return False
            self._lines.append(line)
            self._size += len(line)
            if len(self._lines) == 1:
                self._tell(self._some.set)
            if self._is_full:
                self._tell(self._enough.set)
            return True

    def end(self) -> None:
        """Say that no line follows; of the thread, or of whoever ended it."""
        with self._changed:
            self._is_ended = True
            self._tell(self._some.set)
            self._tell(self._enough.set)

    async def take(self) -> bytes:
        """Return the lines that have come, some if there are any; nothing is the end."""
        while True:
            await self._some.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._enough.wait(), GATHER_S)
            with self._changed:
                if not self._is_ended:  # what was put before now is taken now
                    self._some.clear()
                    self._enough.clear()
                if self._lines or self._is_ended:
                    taken, self._lines, self._size = self._lines, [], 0
                    self._changed.notify()
                    return b"".join(taken)

    def leave(self) -> None:
        """Read no more; the thread is told with its next line."""
        with self._changed:
            self._is_left = True
            self._changed.notify()

    @property
    def _is_full(self) -> bool:
        return len(self._lines) >= MOST_LINES or self._size >= MOST_BYTES

    def _tell(self, what: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(what)
