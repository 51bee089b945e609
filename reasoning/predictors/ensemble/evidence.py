"""What the ensemble knows of a pair (head, tail): one column of numbers for each kind of evidence.

The raw score of each model; then, of the tail alone, how often it is a tail of the relation,
whether it ever is, and how plausible that is by the other relations it has (`signatures`). Within
a row a constant changes nothing, so raw scores do as well as their log-softmax.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kg.errors import SettingError
from kg.snapshot import Snapshot
from reasoning.predictors.adjacency import Adjacency, opposite
from reasoning.predictors.ensemble.signatures import Signatures
from reasoning.protocols import ScoreModel

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
        self, entities: NDArray[np.int32], step: int, weights: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return ``(len(entities), num_entities)`` weighted sums; −inf at edges of the graph.

        Args:
            entities: Heads.
            step: Directed relation.
            weights: ``(num_columns,)``.
        """
        count = len(self.models)
        total = np.tile(weights[count:] @ self.of_tails(step), (len(entities), 1))
        for weight, scores in zip(weights, self.scores(entities, step), strict=False):
            total += weight * scores
        total[self.edges.of(step)[entities].nonzero()] = -np.inf
        return np.asarray(total, dtype=np.float32)
