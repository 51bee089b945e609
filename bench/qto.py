"""Plain QTO (Bai et al., arXiv 2212.09567) by its own formulas: the rival of symbolic answering.

One link predictor, turned into edge values M(u, v) by its formula (`SoftmaxPredictor`): the softmax
over all tails times the number of known ones, values up to ε are 0, values from 1 on are 1 − δ, and
known edges are 1. Then, with a dense vector of truths T for every node of the query:

- projection: T'(v) = max_u T(u) · M(u, v);
- intersection: the product; union: 1 − Π (1 − x);
- negation of a projection: T'(v) = max_u T(u) · (1 − min(1, s · M(u, v))), "some entity without the
  edge", where first-order logic says "no entity with it". s is 3 or 6 in its public code.

Differences from that code, none of which changes a value that counts: rows are computed when they
are needed and kept sparse, of the entities of a set the likeliest `max_support` lead on, and ties
are left to the realistic rank. `bench.dense_answering` is its oracle in the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from kg.errors import UnsafeQueryError, UnsupportedQueryError
from kg.snapshot import Snapshot
from reasoning.normal_form import normalise
from reasoning.predictors.ensemble import SoftmaxPredictor
from reasoning.protocols import ScoreModel
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    SoftAnchor,
    Union,
)
from reasoning.safety import check_safe
from reasoning.symbolic.config import SymbolicConfig
from reasoning.symbolic.fuzzy import Entries, FuzzySet
from reasoning.symbolic.likely_edges import LikelyEdges
from reasoning.symbolic.predicted_rows import PredictedRows

__all__ = ["NEGATION_SCALES", "QtoAnswerer", "QtoConfig"]

NEGATION_SCALES = (3.0, 6.0)
"""The values of s in its public code."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class QtoConfig:
    """QTO's constants, and the limits of this implementation.

    Attributes:
        epsilon: Edge values up to this count 0.
        delta: A predicted edge is never surer than 1 − delta.
        negation_scale: s.
        max_support: Most entities whose predicted edges a projection follows.
        floor: A projection leaves out a predicted edge where T(u) · M(u, v) does not exceed this.
        block: How many entities a negated projection looks at before it asks whether it is done.
    """

    epsilon: float = 2e-4
    delta: float = 1e-4
    negation_scale: float = 3.0
    max_support: int = 500
    floor: float = 1e-7
    block: int = 16


class QtoAnswerer:
    """Implements `ScoringAnswerer` as QTO does.

    Args:
        snapshot: The graph; all its edges count as known.
        model: The link predictor's raw scores.
        config: Constants.
        row_folder: Where rows are kept between processes; in memory only if None.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        model: ScoreModel,
        config: QtoConfig | None = None,
        *,
        row_folder: Path | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.config = config or QtoConfig()
        limits = SymbolicConfig(
            known_probability=0.0,
            epsilon=self.config.epsilon,
            delta=self.config.delta,
            max_support=self.config.max_support,
            floor=self.config.floor,
            row_entries=max(1, snapshot.num_entities),
        )
        predictor = SoftmaxPredictor(model, snapshot, delta=self.config.delta)
        self._rows = PredictedRows(predictor, limits, row_folder)
        self._edges = LikelyEdges(snapshot, self._rows, limits)

    def scores(self, trees: Sequence[Query]) -> NDArray[np.float32]:
        """Return ``(num_queries, num_entities)`` truths.

        Raises:
            UnsafeQueryError: A query's answers would be "everything but …".
            UnsupportedQueryError: A label, a comparison or a soft anchor; QTO has none.
        """
        found = np.empty((len(trees), self.snapshot.num_entities), dtype=np.float32)
        for place, tree in enumerate(trees):
            check_safe(tree)
            found[place] = self._value(normalise(tree))
            self._rows.settle()
        return found

    def _value(self, node: Query) -> Vector:
        match node:
            case Anchor(entity=key):
                vector = np.zeros(self.snapshot.num_entities)
                vector[self.snapshot.entity_id(key)] = 1.0
                return vector
            case Projection():
                return self._projected(node)
            case Intersection(children=branches):
                return np.asarray(np.prod([self._branch(b) for b in branches], axis=0))
            case Union(children=branches):
                return np.asarray(1.0 - np.prod([1.0 - self._value(b) for b in branches], axis=0))
            case Negation():
                raise UnsafeQueryError("a negation without a positive branch")
            case SoftAnchor() | Labelled() | Compare():
                raise UnsupportedQueryError(f"QTO has no {type(node).__name__}")
            case _:
                assert_never(node)

    def _branch(self, node: Query) -> Vector:
        if not isinstance(node, Negation):
            return self._value(node)
        if isinstance(node.child, Projection):
            return self._without(node.child)
        return np.asarray(1.0 - self._value(node.child))

    def _projected(self, node: Projection) -> Vector:
        """Return max_u T(u) · M(u, v)."""
        inner = self._value(node.child)
        heads = np.flatnonzero(inner).astype(np.int32)
        entries = self._entries(heads, inner[heads], node)
        found = np.zeros(len(inner))
        truth = inner[heads][entries.sources]
        np.maximum.at(found, entries.ends, truth * entries.probabilities)
        return found

    def _without(self, node: Projection) -> Vector:
        """Return max_u T(u) · (1 − min(1, s · M(u, v))), the surest u first.

        Once no u is left whose T(u) exceeds the least value found, no other can change anything.
        """
        inner = self._value(node.child)
        heads = np.flatnonzero(inner).astype(np.int32)
        heads = heads[np.argsort(-inner[heads], kind="stable")]
        found = np.zeros(len(inner))
        for start in range(0, len(heads), self.config.block):
            chunk = np.sort(heads[start : start + self.config.block])
            truth = inner[chunk]
            if truth.max() <= found.min():
                break
            # the rows as they are, not those that a truth of T(u) leaves above the floor
            entries = self._entries(chunk, np.ones(len(chunk)), node)
            edges = np.zeros((len(chunk), len(inner)))
            np.maximum.at(edges, (entries.sources, entries.ends), entries.probabilities)
            absent = 1.0 - np.minimum(1.0, self.config.negation_scale * edges)
            np.maximum(found, (truth[:, None] * absent).max(axis=0), out=found)
        return found

    def _entries(self, heads: NDArray[np.int32], truth: Vector, node: Projection) -> Entries:
        start = FuzzySet(ids=heads, values=np.tile(truth, (3, 1)))
        relation = self.snapshot.relation_id(node.relation)
        return self._edges.entries(start, relation, inverse=node.inverse)
