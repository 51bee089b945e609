"""Requests of a first load to the engine's batch endpoint: what waits, and what is on its way."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from kg.model import EntityKey

__all__ = ["Pieces", "Request", "Waiting"]

PIECE_LINES = 2_000
"""Lines that are read or sent at a time."""
LOOSE_LETTERS = 16_000_000
"""Most text that waits as it came; it is compressed before more is added."""


@dataclass(frozen=True, slots=True)
class Run:
    """Lines in the order of their heads.

    Attributes:
        heads: Where the head of each lies.
        pieces: The lines, `PIECE_LINES` in a piece.
        packed: Whether the pieces are compressed.
    """

    heads: NDArray[np.int64]
    pieces: list[bytes]
    packed: bool

    @classmethod
    def made(cls, heads: NDArray[np.int64], lines: Sequence[str], *, packed: bool) -> Run:
        """Put lines in order, and compress them if wanted."""
        order, pieces = np.argsort(heads, kind="stable"), list[bytes]()
        for start in range(0, len(lines), PIECE_LINES):
            some = order[start : start + PIECE_LINES].tolist()
            piece = "".join([lines[n] for n in some]).encode()
            pieces.append(zlib.compress(piece, 1) if packed else piece)
        return cls(heads[order], pieces, packed)

    def __iter__(self) -> Iterator[bytes]:
        """Iterate the pieces as they are sent."""
        return map(zlib.decompress, self.pieces) if self.packed else iter(self.pieces)

    def lines(self) -> Iterator[bytes]:
        """Iterate the lines without their ends; only one piece of them is in memory."""
        for piece in self:
            yield from piece[:-1].split(b"\n")


class Pieces:
    """What a request sends, made ready piece by piece.

    Args:
        runs: The lines, each run in the order of their heads; so they are sent, too.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = runs

    def __len__(self) -> int:
        """Return the number of lines."""
        return sum(len(run.heads) for run in self._runs)

    def __iter__(self) -> Iterator[bytes]:
        """Iterate the pieces; of those of each run, one is in memory."""
        if len(self._runs) < 2:
            yield from chain.from_iterable(self._runs)
            return
        heads = np.concatenate([run.heads for run in self._runs])
        sources = np.repeat(np.arange(len(self._runs)), [len(run.heads) for run in self._runs])
        sources = sources[np.argsort(heads, kind="stable")]
        lines = [run.lines() for run in self._runs]
        for start in range(0, len(sources), PIECE_LINES):
            some = sources[start : start + PIECE_LINES].tolist()
            yield b"\n".join([next(lines[n]) for n in some]) + b"\n"


class Waiting:
    r"""Lines of edges that are not sent yet, all but the last of them compressed.

    Attributes:
        edges: How many there are.
        letters: Their length together.
        packed: Bytes that those take which are compressed.

    Example:
        >>> waiting = Waiting()
        >>> waiting.add([7, 2], ["from 7\n", "from 2\n"])
        >>> waiting.add([2], ["again from 2\n"])
        >>> list(waiting.pieces())
        [b'from 2\nagain from 2\nfrom 7\n']
    """

    def __init__(self) -> None:
        self.edges = 0
        self.letters = 0
        self.packed = 0
        # in one place: an interrupt between two would leave lines in both, or in none
        self._held: tuple[list[Run], _Loose] = ([], _Loose())

    def add(self, heads: Sequence[int], lines: Sequence[str]) -> None:
        """Put lines to the others.

        Args:
            heads: Where the head of each edge lies.
            lines: The edges; each line has its end.
        """
        if self._held[1].letters >= LOOSE_LETTERS:
            self._pack()
        self.letters += self._held[1].add(heads, lines)
        self.edges += len(lines)

    def _pack(self) -> None:
        runs, loose = self._held
        run = loose.run(packed=True)
        self._held = ([*runs, run], _Loose())
        self.packed += sum(map(len, run.pieces))

    def pieces(self) -> Pieces:
        """Return what sends the lines in the order of their heads."""
        runs, loose = self._held
        return Pieces([*runs, loose.run(packed=False)] if loose.letters else runs)


class _Loose:
    """Lines as they came."""

    def __init__(self) -> None:
        self.letters = 0
        self._parts: list[tuple[NDArray[np.int64], Sequence[str]]] = []

    def add(self, heads: Sequence[int], lines: Sequence[str]) -> int:
        self._parts.append((np.asarray(heads, dtype=np.int64), list(lines)))
        letters = sum(map(len, lines))
        self.letters += letters
        return letters

    def run(self, *, packed: bool) -> Run:
        lines = list(chain.from_iterable(part[1] for part in self._parts))
        return Run.made(np.concatenate([part[0] for part in self._parts]), lines, packed=packed)


class Request:
    """What is sent once, from another thread: no interrupt cuts it off.

    Args:
        send: Sends it and returns record ids.
        taken: What it sends, if that had waited.
        keys: The entities that it makes; the record id of each has its place here as its name.
    """

    def __init__(
        self,
        send: Callable[[], dict[str, str]],
        taken: Waiting | None = None,
        *,
        keys: Sequence[EntityKey] = (),
    ) -> None:
        self.taken = taken
        self.keys = keys
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
