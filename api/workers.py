"""A fixed number of threads for engine calls, so that the server stays responsive.

The pools of the standard library are joined when the interpreter ends: a query that is still
running would hold up the end of the process. These threads are daemons, and what has been
abandoned goes on counting against the limit until it has really ended.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

from api.errors import HttpProblem

__all__ = ["Workers"]

T = TypeVar("T")
_Item = tuple[Callable[[], Any], "Future[Any]"]


class Workers:
    """Threads with a bounded queue before them.

    Args:
        threads: Calls that run at the same time.
        waiting: Calls that may wait beyond those.

    Example:
        >>> workers = Workers(threads=1, waiting=1)
        >>> workers.submit(lambda: 6 * 7).result()
        42
        >>> workers.close()
        True
    """

    def __init__(self, *, threads: int = 8, waiting: int = 64) -> None:
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._limit = threads + waiting
        self._open = 0
        self._threads = [
            threading.Thread(target=self._work, name=f"umbra-worker-{n}", daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def open_calls(self) -> int:
        """Calls that run or wait."""
        with self._lock:
            return self._open

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Run a call in one of the threads.

        Raises:
            HttpProblem: ``busy``: too many calls run and wait already.
        """
        with self._lock:
            if self._open >= self._limit:
                raise HttpProblem("busy", f"{self._open} calls run and wait already")
            self._open += 1
        future: Future[T] = Future()
        future.add_done_callback(self._closed)
        self._queue.put((partial(copy_context().run, call), future))
        return future

    def _closed(self, _future: Future[Any]) -> None:
        with self._lock:
            self._open -= 1

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            call, future = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001 - handed to the one who waits
                future.set_exception(error)
            else:
                future.set_result(result)
            del item, call, future  # a waiting thread holds no result of the last call

    def close(self, timeout_s: float = 1.0) -> bool:
        """End the threads that are idle.

        Returns:
            True if all have ended within the time.
        """
        for _ in self._threads:
            self._queue.put(None)
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)
