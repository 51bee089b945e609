"""All edges that may hold: those of the graph, and those that a link predictor finds likely.

A known edge has probability 1, a weaker edge of the graph its own, any other the predictor's, at
most 1 − δ; edges below ε are left out, and `Entries.left_out` bounds what that hides. The edits of
a call are laid over them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from reasoning.known_edges import Ids, KnownEdges, consecutive, known_edges
from reasoning.protocols import Edits
from reasoning.symbolic.config import SymbolicConfig
from reasoning.symbolic.fuzzy import TRUTH, UPPER, Entries, FuzzySet
from reasoning.symbolic.predicted_rows import PredictedEdges, PredictedRows

__all__ = ["LikelyEdges"]


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
        self.predicted = predicted
        self._graph: KnownEdges = known_edges(snapshot, known_probability=0.0, edits=edits)
        self._has_weak: dict[int, bool] = {}

    def with_edits(self, edits: Edits | None) -> LikelyEdges:
        """Return these edges under the edits of a call."""
        if edits is None:
            return self
        return LikelyEdges(self.snapshot, self.predicted, self.config, edits)

    def entries(self, start: FuzzySet, relation: int, *, inverse: bool) -> Entries:
        """Return the edges that leave the entities of a set.

        A known edge may stand there again as a predicted one, which is never surer.
        """
        graph = self._graph_entries(start.ids, relation, inverse=inverse)
        followed, lost = self.followed(start)
        guessed = self.predicted.edges(
            start.ids[followed],
            relation,
            inverse=inverse,
            above=self.config.floor / start.values[UPPER, followed],
        )
        hidden = start.values[TRUTH, followed] * guessed.beyond
        sources, ends, probabilities = self._guesses(
            start.ids, followed, guessed, relation, inverse=inverse
        )
        return Entries(
            sources=np.concatenate([graph.sources, sources]),
            ends=np.concatenate([graph.ends, ends]),
            probabilities=np.concatenate([graph.probabilities, probabilities]),
            known=np.concatenate([graph.known, np.zeros(len(ends), dtype=np.bool_)]),
            left_out=max(lost, float(hidden.max(initial=0.0))),
        )

    def followed(self, start: FuzzySet) -> tuple[NDArray[np.int64], float]:
        """Return the positions whose predicted edges are followed, and a bound on the others.

        The bound is on T(u)·M(u, v) of any predicted edge of an entity that is not followed.
        """
        surest, most = 1.0 - self.config.delta, self.config.max_support
        _, truth, upper = start.values
        keep = upper * surest > self.config.floor
        kept, lost = keep.nonzero()[0], 0.0
        if len(kept) < len(keep):
            lost = float(truth[~keep].max())
        if len(kept) > most:
            values = truth[kept]
            first = len(values) - most
            ordered = np.partition(values, (first - 1, first))
            lost = max(lost, float(ordered[first - 1]))
            # of equal ones at the end those of the smallest ids are followed
            chosen = values > ordered[first]
            equal = (values == ordered[first]).nonzero()[0]
            chosen[equal[: most - np.count_nonzero(chosen)]] = True
            kept = kept[chosen]
        return kept, lost * surest

    def _graph_entries(self, ids: Ids, relation: int, *, inverse: bool) -> Entries:
        row = self._graph.row(relation, inverse=inverse)
        low, counts = row.spans(ids)
        places = consecutive(low, counts)
        probabilities = np.ones(len(places))
        known = np.ones(len(places), dtype=np.bool_)
        if self._is_weak(relation):
            stored = row.probabilities[places]
            known = stored >= self.config.known_probability
            probabilities = np.where(known, 1.0, stored)
        return Entries(
            sources=np.arange(len(ids)).repeat(counts),
            ends=row.ends[places],
            probabilities=probabilities,
            known=known,
        )

    def _is_weak(self, relation: int) -> bool:
        """Tell whether some edge of a relation is less than known."""
        found = self._has_weak.get(relation)
        if found is None:
            weakest = self._graph.row(relation).probabilities.min(initial=1.0)
            found = self._has_weak[relation] = bool(weakest < self.config.known_probability)
        return found

    def _guesses(
        self,
        ids: Ids,
        followed: NDArray[np.int64],
        guessed: PredictedEdges,
        relation: int,
        *,
        inverse: bool,
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        """Return the predicted edges about which the graph and the edits say nothing else."""
        sources = followed[guessed.sources]
        said = self._said_otherwise(relation)
        if not len(said):
            return sources, guessed.ends, guessed.probabilities
        starts, ends = ids[sources].astype(np.int64), guessed.ends.astype(np.int64)
        heads, tails = (ends, starts) if inverse else (starts, ends)
        new = ~np.isin(heads * self.snapshot.num_entities + tails, said)
        return sources[new], guessed.ends[new], guessed.probabilities[new]

    def _said_otherwise(self, relation: int) -> NDArray[np.int64]:
        """Return weak edges of the graph and removed ones, as head · num_entities + tail.

        A known edge need not be there: its probability is 1, and the largest counts.
        """
        row, count = self._graph.row(relation), self.snapshot.num_entities
        codes = []
        if self._is_weak(relation):
            weak = row.probabilities < self.config.known_probability
            codes.append(row.starts[weak].astype(np.int64) * count + row.ends[weak])
        removed = self._graph.removed.get(relation)
        if removed is not None:
            codes.append(removed[:, 0].astype(np.int64) * count + removed[:, 1])
        return np.concatenate(codes) if codes else np.empty(0, dtype=np.int64)
