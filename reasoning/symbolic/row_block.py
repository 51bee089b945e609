"""Blocks of predicted rows: many sparse rows as five flat arrays, in memory or mapped from a file.

A row is known by its key, directed relation · num_entities + entity. Its entries stand by falling
probability, so that what exceeds a threshold is a prefix of the row and the rest is never touched.

A file of a block is written as a whole or not at all, and carries a checksum: one that was torn is
told from a good one, and its rows are computed again.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kg.errors import ForeignFileError
from kg.files import atomic_write
from reasoning.known_edges import consecutive
from reasoning.protocols import RankedRows, SparseRows

__all__ = ["RowBlock", "block_of", "load_block", "merged", "ranked_block", "save_block"]

_MAGIC = b"UMBRAROWS1"
_HEAD = struct.Struct("<10sIqq34x")
_TYPES = (np.int64, np.int64, np.float32, np.int32, np.float32)
_PIECE = 1 << 24
"""Bytes that one step of the checksum takes, so that a mapped file is read piece by piece."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowBlock:
    """Sparse rows, one after the other.

    Attributes:
        keys: ``(n,)`` int64 keys of the rows, ascending, each once.
        bounds: ``(n + 1,)`` int64, where each row's entries stand.
        dropped: ``(n,)`` float32, the largest probability that was left out of each row.
        ends: ``(num_entries,)`` int32, where the edges lead.
        probabilities: ``(num_entries,)`` float32, falling within a row.
    """

    keys: NDArray[np.int64]
    bounds: NDArray[np.int64]
    dropped: NDArray[np.float32]
    ends: NDArray[np.int32]
    probabilities: NDArray[np.float32]

    @property
    def num_bytes(self) -> int:
        """Size of the arrays."""
        return sum(array.nbytes for array in self.arrays())

    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """Return the five arrays in the order of a file."""
        return (self.keys, self.bounds, self.dropped, self.ends, self.probabilities)

    def find(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Return which keys this block holds, and the rows of those."""
        rows = np.searchsorted(self.keys, keys)
        rows[rows == len(self.keys)] = 0
        found = self.keys[rows] == keys if len(self.keys) else np.zeros(len(keys), dtype=np.bool_)
        return found, rows[found]

    def spans(
        self, rows: NDArray[np.int64], above: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """Find the entries of rows that exceed a threshold.

        Args:
            rows: Rows of this block.
            above: ``(len(rows),)`` threshold of each.

        Returns:
            Where they start, how many they are, and the largest probability beyond them.
        """
        start, stop = self.bounds[rows], self.bounds[rows + 1]
        beyond = self.dropped[rows]
        cut = start < stop
        cut[cut] = self.probabilities[stop[cut] - 1] <= above[cut]
        # most rows are taken whole; a binary search in all others at once
        places = cut.nonzero()[0]
        if len(places):
            low, high, least = start[places], stop[places] - 1, above[places]
            for _ in range(int((high - low).max()).bit_length()):
                middle = (low + high) >> 1
                more = self.probabilities[middle] > least
                low, high = np.where(more, middle + 1, low), np.where(more, high, middle)
            stop[places] = low
            beyond[places] = self.probabilities[low]
        return start, stop - start, beyond

    def taking(self, rows: NDArray[np.int64]) -> RowBlock:
        """Return a block of some rows, ascending."""
        start, counts = self.bounds[rows], np.diff(self.bounds)[rows]
        places = consecutive(start, counts)
        return RowBlock(
            keys=self.keys[rows],
            bounds=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            dropped=self.dropped[rows],
            ends=self.ends[places],
            probabilities=self.probabilities[places],
        )


def block_of(
    keys: NDArray[np.int64], found: SparseRows, *, largest: float, longest: int
) -> RowBlock:
    """Return the block of rows that a predictor gave.

    Args:
        keys: Of the rows, ascending.
        found: The rows.
        largest: Larger probabilities are cut to this.
        longest: Most entries of a row, the largest; what is left out is noted in `dropped`.
    """
    matrix = found.matrix
    values = np.minimum(matrix.data, np.float32(largest))
    start, lengths = matrix.indptr[:-1].astype(np.int64), np.diff(matrix.indptr)
    order = np.lexsort((-values, np.repeat(np.arange(len(keys)), lengths)))
    counts = np.minimum(lengths, longest).astype(np.int64)
    cut = np.flatnonzero(lengths > longest)
    dropped = found.dropped.astype(np.float32)
    dropped[cut] = np.maximum(dropped[cut], values[order[start[cut] + longest]])
    kept = order[consecutive(start, counts)]
    return RowBlock(
        keys=keys,
        bounds=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        dropped=dropped,
        ends=matrix.indices[kept].astype(np.int32),
        probabilities=values[kept],
    )


def ranked_block(keys: NDArray[np.int64], found: RankedRows, *, largest: float) -> RowBlock:
    """Return the block of ranked rows; arguments as in `block_of`."""
    return RowBlock(
        keys=keys,
        bounds=np.concatenate([[0], np.cumsum(found.counts)]).astype(np.int64),
        dropped=found.dropped,
        ends=found.ends,
        probabilities=np.minimum(found.probabilities, np.float32(largest)),
    )


def merged(one: RowBlock, other: RowBlock) -> RowBlock:
    """Return the rows of both; of a row that both hold, the first one's."""
    keys = np.concatenate([one.keys, other.keys])
    kept, rows = np.unique(keys, return_index=True)
    bounds = np.concatenate([one.bounds[:-1], other.bounds + one.bounds[-1]])
    both = RowBlock(
        keys=keys,
        bounds=bounds,
        dropped=np.concatenate([one.dropped, other.dropped]),
        ends=np.concatenate([one.ends, other.ends]),
        probabilities=np.concatenate([one.probabilities, other.probabilities]),
    )
    if len(kept) == len(keys) and one.keys[-1:] < other.keys[:1]:
        return both
    return both.taking(rows)


def save_block(block: RowBlock, path: Path) -> None:
    """Write a block, as a whole or not at all."""
    contents = [np.ascontiguousarray(array).view(np.uint8) for array in block.arrays()]
    head = _HEAD.pack(_MAGIC, _checksum(contents), len(block.keys), len(block.ends))
    with atomic_write(path) as file:
        file.write(head)
        for content in contents:
            file.write(content.data)


def load_block(path: Path) -> RowBlock:
    """Map a block from its file, read only.

    Raises:
        ForeignFileError: It is no such file, or not whole.
    """
    hint = "delete it: its rows are computed again"
    try:
        content = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
        magic, checksum, rows, entries = _HEAD.unpack(content[: _HEAD.size].tobytes())
    except (OSError, ValueError, struct.error) as error:
        raise ForeignFileError("no file of predicted rows", where=str(path), hint=hint) from error
    sizes = (8 * rows, 8 * (rows + 1), 4 * rows, 4 * entries, 4 * entries)
    if magic != _MAGIC or min(rows, entries) < 0 or _HEAD.size + sum(sizes) != len(content):
        raise ForeignFileError("not a whole file of rows", where=str(path), hint=hint)
    marks = np.cumsum((_HEAD.size, *sizes)).tolist()
    contents = [content[low:high] for low, high in pairwise(marks)]
    if _checksum(contents) != checksum:
        raise ForeignFileError("a torn file of rows", where=str(path), hint=hint)
    keys, bounds, dropped, ends, probabilities = (
        content.view(kind) for content, kind in zip(contents, _TYPES, strict=True)
    )
    return RowBlock(
        keys=keys, bounds=bounds, dropped=dropped, ends=ends, probabilities=probabilities
    )


def _checksum(contents: Sequence[NDArray[np.uint8]]) -> int:
    found = 0
    for content in contents:
        for start in range(0, len(content), _PIECE):
            found = zlib.crc32(content[start : start + _PIECE].data, found)
    return found
