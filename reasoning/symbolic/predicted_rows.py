"""The rows of a link predictor as sparse rows: computed when first needed, then kept.

In memory up to a limit; with a folder also on disk, where they are mapped, so that several
processes share them and the next one starts warm. Files are written once and never changed: a
process may lose the rows that it has not flushed, and two may compute a row twice, no more. The
folder's name holds the predictor's fingerprint, so rows of another model are never read.

Blocks are merged like those of a log-structured merge tree, so that a lookup sees few of them.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from kg.errors import ForeignFileError
from kg.files import sha256_of_text
from reasoning.known_edges import Ids, consecutive
from reasoning.protocols import (
    LinkPredictor,
    RankedLinkPredictor,
    SparseLinkPredictor,
    SparseRows,
)
from reasoning.symbolic.config import SymbolicConfig
from reasoning.symbolic.row_block import (
    RowBlock,
    block_of,
    load_block,
    merged,
    ranked_block,
    save_block,
)

__all__ = ["PredictedEdges", "PredictedRows"]

_FLUSH_BYTES = 64_000_000
"""New rows of this size are written to disk at the end of a batch."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PredictedEdges:
    """Predicted edges that leave some entities, as parallel arrays.

    Attributes:
        sources: ``(n,)`` positions into the list of entities that was asked for.
        ends: ``(n,)`` ids of where they lead.
        probabilities: ``(n,)`` float32.
        beyond: ``(num_entities_asked,)`` the largest probability of each row that is not here.
    """

    sources: NDArray[np.int64]
    ends: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    beyond: NDArray[np.float32]


class PredictedRows:
    """Sparse rows of a link predictor. Threads may share it.

    Args:
        predictor: Scores rows.
        config: δ, ε and limits.
        folder: Where rows are kept between processes; in memory only if None.
    """

    def __init__(
        self, predictor: LinkPredictor, config: SymbolicConfig, folder: Path | None = None
    ) -> None:
        self._predictor = predictor
        self._config = config
        self._lock = threading.Lock()
        self._fresh: tuple[RowBlock, ...] = ()
        self._stored: tuple[tuple[RowBlock, Path], ...] = ()
        self._folder = None if folder is None else folder / self._name()
        if self._folder is not None:
            self._stored = tuple(_opened(self._folder))

    def _name(self) -> str:
        """Return what tells rows of one predictor and setting from those of others."""
        config, predictor = self._config, self._predictor
        model = (predictor.fingerprint, predictor.num_entities)
        setting = (config.epsilon, config.delta, config.row_entries)
        return sha256_of_text(repr(model + setting))[:32]

    def keys(self, ids: Ids, relation: int, *, inverse: bool) -> NDArray[np.int64]:
        """Return what names the rows of some entities, for `fetch`."""
        directed = 2 * relation + int(inverse)
        return ids.astype(np.int64) + directed * self._predictor.num_entities

    def fetch(self, keys: NDArray[np.int64]) -> None:
        """Compute what is missing of some rows of any relations, so that `edges` finds them.

        Args:
            keys: What `keys` gave, in any order.
        """
        missing = np.unique(keys)
        for block in self._blocks():
            missing = missing[~block.find(missing)[0]]
        self._computed(missing)

    def edges(
        self, ids: Ids, relation: int, *, inverse: bool, above: NDArray[np.float64]
    ) -> PredictedEdges:
        """Return the predicted edges of each entity that exceed its threshold.

        Args:
            ids: Ascending, each once.
            relation: Relation id.
            inverse: Go from tails to heads.
            above: ``(len(ids),)`` thresholds.
        """
        keys = self.keys(ids, relation, inverse=inverse)
        left = np.arange(len(keys))
        beyond = np.zeros(len(keys), dtype=np.float32)
        parts = []
        for block in self._blocks():
            if not len(left):
                break
            found, rows = block.find(keys[left])
            if len(rows):
                places, left = left[found], left[~found]
                parts.append(_part(block, rows, places, above, beyond))
        if len(left):
            # only these few blocks: what was just computed is used even if the cache drops it
            for block in self._computed(keys[left]):
                found, rows = block.find(keys[left])
                places, left = left[found], left[~found]
                parts.append(_part(block, rows, places, above, beyond))
        sources, ends, probabilities = (
            parts[0] if len(parts) == 1 else map(np.concatenate, zip(_NOTHING, *parts, strict=True))
        )
        return PredictedEdges(
            sources=sources, ends=ends, probabilities=probabilities, beyond=beyond
        )

    def flush(self) -> None:
        """Write rows that are only in memory to the folder, if there is one."""
        with self._lock:
            if self._folder is None or not self._fresh:
                return
            block = self._fresh[0]
            for other in self._fresh[1:]:
                block = merged(block, other)
            self._fresh = ()
            self._store(block, self._folder)

    def settle(self) -> None:
        """Flush if enough has come together; called after each batch of queries."""
        if self._folder is not None and _size(self._fresh) >= self._flush_bytes:
            self.flush()

    @property
    def _flush_bytes(self) -> int:
        return min(_FLUSH_BYTES, self._config.memory_bytes // 2)

    def _blocks(self) -> tuple[RowBlock, ...]:
        # looked up once: another thread may replace the tuples meanwhile
        return (*self._fresh, *(block for block, _ in self._stored))

    def _computed(self, keys: NDArray[np.int64]) -> list[RowBlock]:
        """Compute rows; keys ascend."""
        rows = max(1, self._config.block_cells // max(1, self._predictor.num_entities))
        blocks = []
        for chunk in self._chunks(keys, rows):
            block = self._block(chunk)
            blocks.append(block)
            self._keep(block)
        return blocks

    def _chunks(self, keys: NDArray[np.int64], rows: int) -> Iterator[NDArray[np.int64]]:
        """Yield keys of as many rows as are computed at once."""
        parts = [keys]
        if not isinstance(self._predictor, RankedLinkPredictor):
            directed = keys // max(1, self._predictor.num_entities)
            parts = np.split(keys, np.flatnonzero(np.diff(directed)) + 1)
        for part in parts:
            for start in range(0, len(part), rows):
                yield part[start : start + rows]

    def _block(self, keys: NDArray[np.int64]) -> RowBlock:
        """Compute rows; of one relation and direction unless the predictor can do more."""
        config, predictor = self._config, self._predictor
        directed, ids = np.divmod(keys, predictor.num_entities)
        entities, largest = ids.astype(np.int32), 1.0 - config.delta
        if isinstance(predictor, RankedLinkPredictor):
            numbers = directed // 2 + (directed % 2) * (predictor.num_directed // 2)
            ranked = predictor.ranked_rows(
                entities, numbers, floor=config.epsilon, longest=config.row_entries
            )
            return ranked_block(keys, ranked, largest=largest)
        relation, inverse = int(directed[0]) // 2, bool(directed[0] % 2)
        found = self._sparse(entities, relation, inverse=inverse)
        return block_of(keys, found, largest=largest, longest=config.row_entries)

    def _sparse(self, ids: Ids, relation: int, *, inverse: bool) -> SparseRows:
        epsilon = self._config.epsilon
        if isinstance(self._predictor, SparseLinkPredictor):
            return self._predictor.sparse_rows(ids, relation, inverse=inverse, floor=epsilon)
        dense = self._predictor.rows(ids, relation, inverse=inverse)
        keep = dense > epsilon
        owners, ends = np.nonzero(keep)
        bounds = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(ids)))])
        return SparseRows(
            matrix=csr_matrix((dense[owners, ends], ends, bounds), shape=dense.shape),
            dropped=dense.max(axis=1, initial=0.0, where=~keep),
        )

    def _keep(self, block: RowBlock) -> None:
        with self._lock:
            self._fresh = _compacted((*self._fresh, block), self._config.memory_bytes // 4)
            while len(self._fresh) > 1 and _size(self._fresh) > self._config.memory_bytes:
                self._fresh = self._fresh[1:]

    def _store(self, block: RowBlock, folder: Path) -> None:
        """Write a block; smaller ones on disk join it, the oldest go beyond the limit."""
        stored, outdated = list(self._stored), []
        while stored and stored[-1][0].num_bytes < 2 * block.num_bytes <= self._largest_file:
            last, path = stored.pop()
            block = merged(last, block)
            outdated.append(path)
        path = folder / f"{uuid.uuid4().hex}.rows"
        save_block(block, path)
        stored.append((load_block(path), path))
        while len(stored) > 1 and _size(b for b, _ in stored) > self._config.disk_bytes:
            outdated.append(stored.pop(0)[1])
        self._stored = tuple(stored)
        for old in outdated:
            # another process may have merged it too; who has it mapped keeps what it mapped
            old.unlink(missing_ok=True)

    @property
    def _largest_file(self) -> int:
        return max(1, min(self._config.disk_bytes // 4, 1 << 30))


_NOTHING = (
    np.empty(0, dtype=np.int64),
    np.empty(0, dtype=np.int32),
    np.empty(0, dtype=np.float32),
)


def _part(
    block: RowBlock,
    rows: NDArray[np.int64],
    places: NDArray[np.int64],
    above: NDArray[np.float64],
    beyond: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Return the entries of some rows, and note in `beyond` what lies below their thresholds."""
    start, counts, beyond[places] = block.spans(rows, above[places])
    if len(rows) == 1:
        span = slice(int(start[0]), int(start[0] + counts[0]))
        sources = np.full(span.stop - span.start, places[0])
        return sources, block.ends[span], block.probabilities[span]
    entries = consecutive(start, counts)
    return np.repeat(places, counts), block.ends[entries], block.probabilities[entries]


def _compacted(blocks: tuple[RowBlock, ...], largest: int) -> tuple[RowBlock, ...]:
    """Merge the last blocks while they are of like size, so that sizes fall geometrically."""
    kept = list(blocks)
    while len(kept) > 1:
        sizes = [block.num_bytes for block in kept[-2:]]
        if sizes[0] >= 2 * sizes[1] or sum(sizes) > largest:
            break
        kept[-2:] = [merged(kept[-2], kept[-1])]
    return tuple(kept)


def _size(blocks: Iterator[RowBlock] | tuple[RowBlock, ...]) -> int:
    return sum(block.num_bytes for block in blocks)


def _opened(folder: Path) -> Iterator[tuple[RowBlock, Path]]:
    """Yield the whole blocks of a folder, the largest first; a torn one is deleted."""
    with_size = []
    for path in folder.glob("*.rows"):
        with suppress(OSError):  # another process may have merged it away
            with_size.append((path.stat().st_size, path.name, path))
    for _, _, path in sorted(with_size, reverse=True):
        try:
            yield load_block(path), path
        except ForeignFileError:
            path.unlink(missing_ok=True)
