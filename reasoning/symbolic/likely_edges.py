"""All edges that may hold: those of the graph, and those that a link predictor finds likely.

A known edge has probability 1, a weaker edge of the graph its own, any other the predictor's, at
most 1 − δ; edges below ε are left out and bounded by `Entries.missing`. Rows of the predictor are
computed when first needed and kept, up to a limit; the edits of a call are laid over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.errors import SettingError
from kg.provenance import KNOWN_PROBABILITY
from kg.snapshot import Snapshot
from reasoning.known_edges import Ids, KnownEdges, known_edges
from reasoning.protocols import Edits, LinkPredictor
from reasoning.symbolic.fuzzy import TRUTH, Entries, FuzzySet

__all__ = ["LikelyEdges", "PredictedRows", "SymbolicConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolicConfig:
    """How symbolic answering treats edges.

    Attributes:
        known_probability: Edges of the graph from this probability on are known, in [0, 1].
        delta: A predicted edge is never surer than 1 − delta, in (0, 1).
        epsilon: Predicted edges below this probability are left out, in [0, 1).
        max_support: Most entities whose predicted edges one projection follows, the likeliest
            first; of the others only the graph's edges are followed.
        cached_entries: Most predicted edges that are kept in memory.
        block_cells: Most probabilities that one call of the predictor returns.
    """

    known_probability: float = KNOWN_PROBABILITY
    delta: float = 1e-4
    epsilon: float = 1e-4
    max_support: int = 2000
    cached_entries: int = 20_000_000
    block_cells: int = 16_000_000

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if not 0.0 <= self.known_probability <= 1.0:
            raise SettingError(f"known_probability {self.known_probability!r} is not in [0, 1]")
        if not 0.0 < self.delta < 1.0 or not 0.0 <= self.epsilon < 1.0:
            raise SettingError("SymbolicConfig needs 0 < delta < 1 and 0 <= epsilon < 1")
        if min(self.max_support, self.cached_entries, self.block_cells) < 1:
            raise SettingError("SymbolicConfig's limits must be at least 1")


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """The predicted edges of one entity: where they lead, how likely, and the likeliest dropped."""

    ends: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    dropped: float


class PredictedRows:
    """Sparse rows of a link predictor, computed in blocks and kept.

    Args:
        predictor: Scores rows.
        config: δ, ε and limits.
    """

    def __init__(self, predictor: LinkPredictor, config: SymbolicConfig) -> None:
        self._predictor = predictor
        self._config = config
        self._kept: dict[tuple[int, bool, int], _Row] = {}
        self._size = 0

    def rows(self, ids: Sequence[int], relation: int, *, inverse: bool) -> list[_Row]:
        """Return the predicted edges of each entity."""
        # looked up once: another thread may empty the cache meanwhile
        found = {i: self._kept.get((relation, inverse, i)) for i in ids}
        missing = [i for i, row in found.items() if row is None]
        block = max(1, self._config.block_cells // max(1, self._predictor.num_entities))
        fresh: dict[int, _Row] = {}
        for start in range(0, len(missing), block):
            chunk = np.array(missing[start : start + block], dtype=np.int32)
            dense = self._predictor.rows(chunk, relation, inverse=inverse)
            fresh.update(zip(chunk.tolist(), map(self._sparse, dense), strict=True))
        self._keep(relation, inverse, fresh)
        return [found[i] or fresh[i] for i in ids]

    def _sparse(self, row: NDArray[np.float32]) -> _Row:
        keep = row > self._config.epsilon
        ends = np.flatnonzero(keep).astype(np.int32)
        top = np.float32(1.0 - self._config.delta)
        dropped = float(row.max(initial=0.0, where=~keep))
        return _Row(ends, np.minimum(row[ends], top), dropped)

    def _keep(self, relation: int, inverse: bool, fresh: dict[int, _Row]) -> None:
        self._size += sum(len(row.ends) for row in fresh.values())
        if self._size > self._config.cached_entries:
            # all at once: rows of one relation are used together, so an order of use says little
            self._kept.clear()
            self._size = sum(len(row.ends) for row in fresh.values())
        self._kept.update(((relation, inverse, i), row) for i, row in fresh.items())


class LikelyEdges:
    """Edges of the graph and predicted ones, under the edits of one call.

    Args:
        snapshot: The graph.
        predicted: Rows of the link predictor; shared between calls.
        config: Thresholds and limits.
        edits: Edges added (they count as known) or taken away (they do not hold at all).

    Raises:
        UnknownEntityError: An end of an edited edge is not in the snapshot.
        UnknownRelationError: Its relation is not in the snapshot.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        predicted: PredictedRows,
        config: SymbolicConfig,
        edits: Edits | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.config = config
        self._predicted = predicted
        self._graph: KnownEdges = known_edges(snapshot, known_probability=0.0, edits=edits)

    def with_edits(self, edits: Edits | None) -> LikelyEdges:
        """Return these edges under the edits of a call."""
        if edits is None:
            return self
        return LikelyEdges(self.snapshot, self._predicted, self.config, edits)

    def entries(self, start: FuzzySet, relation: int, *, inverse: bool) -> Entries:
        """Return the edges that leave the entities of a set."""
        graph = self._graph_entries(start.ids, relation, inverse=inverse)
        followed, lost = self._followed(start)
        guessed = self._predicted_entries(start.ids, followed, relation, inverse=inverse)
        new = ~np.isin(
            self._codes(start.ids, guessed, inverse=inverse),
            np.concatenate(
                [self._codes(start.ids, graph, inverse=inverse), self._removed(relation)]
            ),
        )
        return Entries(
            sources=np.concatenate([graph.sources, guessed.sources[new]]),
            ends=np.concatenate([graph.ends, guessed.ends[new]]),
            probabilities=np.concatenate([graph.probabilities, guessed.probabilities[new]]),
            known=np.concatenate([graph.known, guessed.known[new]]),
            missing=guessed.missing,
            lost=lost,
        )

    def _followed(self, start: FuzzySet) -> tuple[NDArray[np.int64], float]:
        """Return the positions whose predicted edges are followed, and a bound on the others."""
        count = len(start.ids)
        if count <= self.config.max_support:
            return np.arange(count), 0.0
        # the product T·M decides, so what is left out is bounded by its largest T
        order = np.argsort(-start.values[TRUTH], kind="stable")
        kept = np.sort(order[: self.config.max_support])
        lost = float(start.values[TRUTH, order[self.config.max_support]])
        return kept, lost * (1.0 - self.config.delta)

    def _graph_entries(self, ids: Ids, relation: int, *, inverse: bool) -> Entries:
        row = self._graph.row(relation, inverse=inverse)
        places = row.positions(ids)
        probabilities = row.probabilities[places].astype(np.float64)
        known = row.probabilities[places] >= self.config.known_probability
        return Entries(
            sources=np.searchsorted(ids, row.starts[places]),
            ends=row.ends[places],
            probabilities=np.where(known, 1.0, probabilities),
            known=known,
        )

    def _predicted_entries(
        self, ids: Ids, followed: NDArray[np.int64], relation: int, *, inverse: bool
    ) -> Entries:
        rows = self._predicted.rows(ids[followed].tolist(), relation, inverse=inverse)
        ends = np.concatenate([np.empty(0, dtype=np.int32), *(row.ends for row in rows)])
        return Entries(
            sources=np.repeat(followed, [len(row.ends) for row in rows]),
            ends=ends,
            probabilities=np.concatenate([np.empty(0), *(row.probabilities for row in rows)]),
            known=np.zeros(len(ends), dtype=np.bool_),
            missing=max((row.dropped for row in rows), default=0.0),
        )

    def _codes(self, ids: Ids, entries: Entries, *, inverse: bool) -> NDArray[np.int64]:
        """Return one number an edge, head × num_entities + tail, whatever the direction."""
        starts, ends = ids[entries.sources].astype(np.int64), entries.ends.astype(np.int64)
        heads, tails = (ends, starts) if inverse else (starts, ends)
        return heads * self.snapshot.num_entities + tails

    def _removed(self, relation: int) -> NDArray[np.int64]:
        pairs = self._graph.removed.get(relation, np.empty((0, 2), dtype=np.int32))
        return pairs[:, 0].astype(np.int64) * self.snapshot.num_entities + pairs[:, 1]
