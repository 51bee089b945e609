"""Requests of a first load to the engine's batch endpoint: what waits, and what is on its way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from itertools import chain

import numpy as np
from numpy.typing import NDArray

__all__ = ["Request", "Waiting"]

PIECE_LINES = 10_000


class Waiting:
    """Lines of edges that are not sent yet.

    Attributes:
        edges: How many there are.
        letters: Their length together.

    Example:
        >>> waiting = Waiting()
        >>> waiting.add([7, 2], ["from 7;", "from 2;"])
        >>> waiting.add([2], ["again from 2;"])
        >>> waiting.pieces()
        [b'from 2;again from 2;from 7;']
    """

    def __init__(self) -> None:
        self.edges = 0
        self.letters = 0
        self._parts: list[tuple[NDArray[np.int64], list[str]]] = []

    def add(self, heads: Sequence[int], lines: Sequence[str]) -> None:
        """Put lines to the others.

        Args:
            heads: Where the head of each edge lies.
            lines: The edges; each line has its end.
        """
        self._parts.append((np.asarray(heads, dtype=np.int64), list(lines)))
        self.edges += len(lines)
        self.letters += sum(map(len, lines))

    def pieces(self) -> list[bytes]:
        """Return the lines in the order of their heads, many in a piece."""
        if not self.edges:
            return []
        order = np.argsort(np.concatenate([part[0] for part in self._parts]), kind="stable")
        lines = list(chain.from_iterable(part[1] for part in self._parts))
        return [
            "".join([lines[n] for n in order[start : start + PIECE_LINES].tolist()]).encode()
            for start in range(0, len(lines), PIECE_LINES)
        ]


class Request:
    """What is sent once, from another thread: no interrupt cuts it off.

    Args:
        send: Sends it and returns record ids.
        taken: What it sends, if that had waited.
    """

    def __init__(self, send: Callable[[], dict[str, str]], taken: Waiting | None = None) -> None:
        self.taken = taken
        self._send = send
        self._begun = False
        self._ids: dict[str, str] = {}
        self._future: Future[dict[str, str]] | None = None

    @property
    def is_done(self) -> bool:
        """Whether its answer is there, or its error."""
        return self._future is not None and self._future.done()

    def begin(self, sender: Executor) -> Future[dict[str, str]]:
        """Have it sent if it is not, and return what waits for its record ids."""
        if self._future is None:
            self._future = sender.submit(self._once)
        return self._future

    def _once(self) -> dict[str, str]:
        if not self._begun:
            self._begun = True
            self._ids = self._send()
        return self._ids
