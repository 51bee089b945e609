"""The nearest of many vectors, exactly, at the speed of short numbers.

Products of whole numbers of 8 bits, where the processor has them, pick a few times as many as are
asked for; these are compared again in 32 bits, each pair by itself, so that what is found depends
neither on the block that a query comes in nor, but for near ties beyond the picked ones, on the
short numbers.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["NearestVectors", "products"]

_PICKED = 3  # times as many are picked as are asked for
_STEP = 1_024  # vectors compared at a time, so that products stay in the processor's cache
_QUERIES = 256  # at a time: the same
_NATIVE = ("amx_int8", "avx512_vnni", "avx_vnni")
_MOST = 127  # of a whole number of 8 bits

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


def products(lefts: tuple[Floats, ...], rows: Ids, right: Floats, columns: Ids) -> list[Floats]:
    """Return dot products of rows of matrices with rows of one; each depends on its pair alone.

    Args:
        lefts: Matrices whose `rows` are compared.
        rows: ``(pairs,)``, the same ones together.
        right: The other matrix.
        columns: ``(pairs,)`` which rows of it.

    Returns:
        ``(pairs,)`` for each of `lefts`.
    """
    found = [np.empty(len(rows), dtype=np.float32) for _ in lefts]
    ends = np.append(np.flatnonzero(np.diff(rows, prepend=-1)), len(rows))
    room = np.empty((np.diff(ends).max(initial=0), right.shape[1]), dtype=right.dtype)
    for start, end in itertools.pairwise(ends.tolist()):
        row, gathered = rows[start], room[: end - start]
        # no place lies outside: "clip" only spares a copy
        right.take(columns[start:end], axis=0, out=gathered, mode="clip")
        for left, values in zip(lefts, found, strict=True):
            np.einsum("pd,d->p", gathered, left[row], out=values[start:end])
    return found


class NearestVectors:
    """Vectors that are searched; more may be added.

    Args:
        vectors: ``(N, dim)``.
    """

    def __init__(self, vectors: Floats) -> None:
        abilities = torch.cpu.get_capabilities()
        self._short = any(abilities.get(name, False) for name in _NATIVE)
        self._rows = vectors
        self._size = len(vectors)
        # taking one vector from all changes no order, and leaves smaller numbers
        self._middle = vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1])
        self._scale = _MOST / max(float(np.abs(vectors - self._middle).max(initial=0.0)), 1e-9)
        self._steps = self._cut(vectors)
        kind = torch.int32 if self._short else torch.float32
        self._room = torch.empty(_STEP * _QUERIES, dtype=kind)

    def __len__(self) -> int:
        """Return the number of vectors."""
        return self._size

    @property
    def vectors(self) -> Floats:
        """``(N, dim)``."""
        return self._rows[: self._size]

    def add(self, vectors: Floats) -> None:
        """Append vectors; room for an eighth more is made at a time."""
        needed = self._size + len(vectors)
        if needed > len(self._rows):
            grown = np.empty((needed + needed // 8, vectors.shape[1]), dtype=np.float32)
            grown[: self._size] = self.vectors
            self._rows = grown
        self._rows[self._size : needed] = vectors
        self._size = needed
        whole = len(self._steps) - (len(self._steps[-1]) < _STEP if self._steps else 0)
        del self._steps[whole:]
        self._steps += self._cut(self.vectors[whole * _STEP :])

    def _cut(self, vectors: Floats) -> list[torch.Tensor]:
        return [
            self._shortened(vectors[start : start + _STEP] - self._middle, self._scale)
            for start in range(0, len(vectors), _STEP)
        ]

    def _shortened(self, values: Floats, scale: Floats | float) -> torch.Tensor:
        if not self._short:
            return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
        return torch.from_numpy(np.rint(values * scale).clip(-_MOST, _MOST).astype(np.int8))

    def likely(self, queries: Floats, count: int) -> Ids:
        """Return ``(n, picked)`` candidates among which the nearest are, ascending.

        Args:
            queries: ``(n, dim)``.
            count: How many nearest are wanted; some times as many are returned.
        """
        picked = min(self._size, _PICKED * count)
        scale = _MOST / np.maximum(np.abs(queries).max(axis=1, initial=1e-9), 1e-9)[:, None]
        wanted = self._shortened(queries, scale)
        found = [self._likely(part, picked) for part in torch.split(wanted, _QUERIES)]
        return np.sort(np.concatenate(found), axis=1)

    def _likely(self, wanted: torch.Tensor, picked: int) -> Ids:
        # what it needs takes half a second to come, and most commands link nothing
        from linkers.boosted.nearest_loops import keeps_better

        number = len(wanted)
        keep_better = keeps_better("int32" if self._short else "float32")
        multiply = torch._int_mm if self._short else torch.mm  # noqa: SLF001 - no public name
        best = np.full((number, picked), np.iinfo(np.int32).min, self._room.numpy().dtype)
        places, lowest = np.zeros(best.shape, np.int64), np.zeros(number, np.int64)
        for step, vectors in enumerate(self._steps):
            products = self._room[: len(vectors) * number].view(-1, number)
            multiply(vectors, wanted.T, out=products)
            keep_better(products.numpy(), step * _STEP, best, places, lowest)
        return places
