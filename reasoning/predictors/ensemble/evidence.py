"""What the ensemble knows of a pair (head, tail): one column of numbers for each kind of evidence.

The raw score of each model; then, of the tail alone, how often it is a tail of the relation,
whether it ever is, and how plausible that is by the other relations it has (`signatures`). Within
a row a constant changes nothing, so raw scores do as well as their log-softmax.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from kg.errors import SettingError
from kg.snapshot import Snapshot
from reasoning.predictors.adjacency import Adjacency, opposite
from reasoning.predictors.edge_groups import EdgeGroups
from reasoning.predictors.ensemble.signatures import Signatures
from reasoning.protocols import PairScoreModel, ScoreModel, SparseScoreModel

__all__ = ["TAIL_COLUMNS", "Evidence"]

TAIL_COLUMNS = ("log_frequency", "seen", "log_plausibility")
"""Columns that depend on the tail only; they come after those of the models."""

_LEAST_PLAUSIBILITY = 1e-3


class Evidence:
    """Evidence for the edges of one graph. Relations are directed: r, or r + num_relations.

    Args:
        snapshot: The graph whose edges are known.
        models: Models that score its entities.

    Raises:
        SettingError: There is no model, or one scores another number of entities.
    """

    def __init__(self, snapshot: Snapshot, models: Sequence[ScoreModel]) -> None:
        if not models:
            raise SettingError("an ensemble needs at least one model")
        for model in models:
            if model.num_entities != snapshot.num_entities:
                raise SettingError(
                    f"a model scores {model.num_entities} entities, "
                    f"the snapshot has {snapshot.num_entities}"
                )
        self.snapshot = snapshot
        self.models = tuple(models)
        self.signatures = Signatures(snapshot)
        self.edges = Adjacency(snapshot)
        self.known = EdgeGroups(snapshot)

    @property
    def num_columns(self) -> int:
        """Number of columns."""
        return len(self.models) + len(TAIL_COLUMNS)

    def scores(self, entities: NDArray[np.int32], step: int) -> list[NDArray[np.float32]]:
        """Return ``(len(entities), num_entities)`` scores of each model."""
        count = self.snapshot.num_relations
        return [
            model.scores(entities, step % count, inverse=step >= count) for model in self.models
        ]

    def of_tails(self, step: int) -> NDArray[np.float32]:
        """Return ``(3, num_entities)``: the columns of `TAIL_COLUMNS`."""
        back = opposite(step, self.snapshot.num_relations)
        frequency = self.signatures.counts(back)
        plausible = np.log(self.signatures.plausibility(back) + _LEAST_PLAUSIBILITY)
        return np.stack([np.log1p(frequency), frequency > 0, plausible]).astype(np.float32)

    def mixed(
        self,
        entities: NDArray[np.int32],
        steps: NDArray[np.int64],
        weights: NDArray[np.float32],
        of_tails: Callable[[int], NDArray[np.float32]],
    ) -> NDArray[np.float32]:
        """Return ``(n, num_entities)`` weighted sums; −inf at edges of the graph.

        Args:
            entities: ``(n,)`` heads.
            steps: ``(n,)`` directed relation of each.
            weights: ``(n, len(models))`` of the models, in each row.
            of_tails: Of a directed relation, the ``(num_entities,)`` weighted sum of the columns
                of tails.
        """
        factors = list(zip(self.models, weights.T, strict=True))
        # a product first: it makes the array that all else is added to
        factors.sort(key=lambda pair: not isinstance(pair[0], PairScoreModel))
        first, of_first = factors[0]
        if isinstance(first, PairScoreModel):
            total = first.row_scores(entities, steps, factors=of_first)
            factors = factors[1:]
        else:
            total = np.zeros((len(entities), self.snapshot.num_entities), dtype=np.float32)
        for model, of_model in factors:
            self._add(total, model, entities, steps, of_model)
        for row, step in zip(total, steps.tolist(), strict=True):
            row += of_tails(step)
        counts, known = self.known.along(entities.astype(np.int64), steps)
        total[np.repeat(np.arange(len(entities)), counts), known] = -np.inf
        return total

    def _add(
        self,
        total: NDArray[np.float32],
        model: ScoreModel,
        entities: NDArray[np.int32],
        steps: NDArray[np.int64],
        factors: NDArray[np.float32],
    ) -> None:
        """Add the scores of a model; a constant of a row may be left out."""
        if isinstance(model, SparseScoreModel):
            codes, scores = model.sparse_scores(entities, steps)
            gains = scores - np.float32(model.common_score)
            total.ravel()[codes] += factors[codes // total.shape[1]] * gains
            return
        if isinstance(model, PairScoreModel):
            total += model.row_scores(entities, steps, factors=factors)
            return
        count = self.snapshot.num_relations
        for step in np.unique(steps).tolist():
            rows = np.flatnonzero(steps == step)
            scores = model.scores(entities[rows], step % count, inverse=step >= count)
            total[rows] += factors[rows, None] * scores
