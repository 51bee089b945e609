"""The nearest of many vectors, exactly, at the speed of short numbers.

Products in bfloat16 where the processor has them pick a few times as many as are asked for; these
are compared again in 32 bits, each pair by itself, so that what is found depends neither on the
block that a query comes in nor, but for near ties beyond the picked ones, on the short numbers.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["NearestVectors", "products"]

_PICKED = 3  # times as many are picked as are asked for
_GROUP = 64  # columns of which only the best is looked at first
_CHUNK = 65_536  # vectors compared at a time: bounds the scores that are held
_PAIRS = 2_048  # gathered at a time, so that they stay in the processor's cache
_NATIVE = ("amx_bf16", "avx512_bf16", "bf16")

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


def products(left: Floats, rows: Ids, right: Floats, columns: Ids) -> Floats:
    """Return ``(pairs,)`` dot products of rows of two matrices; each depends on its pair alone."""
    found = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), _PAIRS):
        part = slice(start, start + _PAIRS)
        found[part] = np.einsum("pd,pd->p", left[rows[part]], right[columns[part]])
    return found


class NearestVectors:
    """Vectors that are searched; more may be added.

    Args:
        vectors: ``(N, dim)``.
    """

    def __init__(self, vectors: Floats) -> None:
        abilities = torch.cpu.get_capabilities()
        native = any(abilities.get(name, False) for name in _NATIVE)
        self._kind = torch.bfloat16 if native else torch.float32
        self._rows = vectors
        self._size = len(vectors)
        self._chunks = self._cut(vectors)

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
        whole = len(self._chunks) - (len(self._chunks[-1]) < _CHUNK if self._chunks else 0)
        del self._chunks[whole:]
        self._chunks += self._cut(self.vectors[whole * _CHUNK :])

    def _cut(self, vectors: Floats) -> list[torch.Tensor]:
        return [
            torch.from_numpy(np.ascontiguousarray(vectors[start : start + _CHUNK])).to(self._kind)
            for start in range(0, len(vectors), _CHUNK)
        ]

    def likely(self, queries: Floats, count: int) -> Ids:
        """Return ``(n, picked)`` candidates among which the nearest are, ascending.

        Args:
            queries: ``(n, dim)``.
            count: How many nearest are wanted; some times as many are returned.
        """
        wanted = torch.from_numpy(np.ascontiguousarray(queries)).to(self._kind)
        picked = min(self._size, _PICKED * count)
        values, places = [], []
        for number, chunk in enumerate(self._chunks):
            best, where = _top(wanted @ chunk.T, min(picked, len(chunk)))
            values.append(best)
            places.append(where + number * _CHUNK)
        if len(values) == 1:
            found = places[0]
        else:
            order = torch.topk(torch.cat(values, dim=1), picked, dim=1, sorted=False).indices
            found = torch.gather(torch.cat(places, dim=1), 1, order)
        return np.sort(found.numpy(), axis=1)


def _top(scores: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return values and columns of the best: those of the groups whose own best are highest."""
    rows, columns = scores.shape
    groups = columns // _GROUP
    if groups <= 2 * count:
        best = torch.topk(scores, count, dim=1, sorted=False)
        return best.values, best.indices
    even = scores[:, : groups * _GROUP].reshape(rows, groups, _GROUP)
    chosen = torch.topk(even.amax(dim=2), count, dim=1, sorted=False).indices
    among = torch.gather(even, 1, chosen[:, :, None].expand(-1, -1, _GROUP)).flatten(1)
    where = (chosen[:, :, None] * _GROUP + torch.arange(_GROUP)).flatten(1)
    rest = scores[:, groups * _GROUP :]
    among = torch.cat([among, rest], dim=1)
    where = torch.cat([where, torch.arange(groups * _GROUP, columns).expand(rows, -1)], dim=1)
    best = torch.topk(among, count, dim=1, sorted=False)
    return best.values, torch.gather(where, 1, best.indices)
