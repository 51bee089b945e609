"""How much a key may ask for: requests a second (a token bucket) and requests at a time."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from api.access.keys import Key
from api.errors import HttpProblem

__all__ = ["KeyLimits", "Limit"]

BURST_S = 2.0
"""A key that has rested may send this many seconds' worth at once."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What one key may do; 0 is no limit.

    Attributes:
        rate: Requests a second.
        parallel: Requests under way at a time.
    """

    rate: float = 0.0
    parallel: int = 0


@dataclass(slots=True)
class _Use:
    left: float
    at: float
    under_way: int = 0


class KeyLimits:
    """Counts what keys use.

    Args:
        usual: Of a key that has no limit of its own.
        share: How much of a limit this process gives out: one over the number of processes.
        clock: Seconds (tests turn it).

    Example:
        >>> from api.access.keys import Key
        >>> key = Key(id="a", name="ada", scopes=("read",), digest="", created="", parallel=1)
        >>> limits = KeyLimits()
        >>> with limits.used(key), limits.used(key):
        ...     pass
        Traceback (most recent call last):
        api.errors.HttpProblem: the key may have 1 requests under way at a time
    """

    def __init__(
        self,
        usual: Limit = Limit(),
        *,
        share: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._usual = usual
        self._share = share
        self._clock = clock
        self._lock = threading.Lock()
        self._uses: dict[str, _Use] = {}

    @contextmanager
    def used(self, key: Key) -> Iterator[None]:
        """Return a context in which one request of a key is under way.

        Raises:
            HttpProblem: ``too-many-requests``, with the seconds to wait.
        """
        own = self._limit_of(key)
        if not own.rate and not own.parallel:
            yield
            return
        use = self._begun(key.id, own)
        try:
            yield
        finally:
            with self._lock:
                use.under_way -= 1

    def _limit_of(self, key: Key) -> Limit:
        rate = self._usual.rate if key.rate is None else key.rate
        parallel = self._usual.parallel if key.parallel is None else key.parallel
        return Limit(rate, parallel)

    def _begun(self, key_id: str, own: Limit) -> _Use:
        limit = Limit(own.rate * self._share, math.ceil(own.parallel * self._share))
        shared = "" if self._share == 1.0 else ", shared out among the processes of the server"
        most = max(1.0, limit.rate * BURST_S)
        with self._lock:
            now = self._clock()
            use = self._uses.setdefault(key_id, _Use(left=most, at=now))
            use.left = min(most, use.left + (now - use.at) * limit.rate)
            use.at = now
            if limit.parallel and use.under_way >= limit.parallel:
                raise HttpProblem(
                    "too-many-requests",
                    f"the key may have {own.parallel} requests under way at a time{shared}",
                )
            if limit.rate and use.left < 1.0:
                raise HttpProblem(
                    "too-many-requests",
                    f"the key may send {own.rate:g} requests a second{shared}",
                    retry_after_seconds=max(1, math.ceil((1.0 - use.left) / limit.rate)),
                )
            use.left -= 1.0
            use.under_way += 1
            return use
