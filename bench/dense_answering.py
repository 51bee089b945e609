"""The dense formulation of max-product answering: the rival of sparse sets in `bench`.

As QTO writes it (Bai et al., arXiv 2212.09567): a query's set is a vector of all entities, a
projection multiplies the dense rows of every entity in it by their truths and fuses them, known
edges count 1 and entries below a threshold 0. Rows come from the predictor when they are needed,
since all rows of a graph of 63,361 entities and 400 directed relations would not fit any memory; as
many as fit a limit are kept.

Two readings of the formulas:

- QTO's: of several ways to an entity the best counts; a negation is 1 − x, or, as in its code, the
  last hop under it becomes max_u T(u)·(1 − min(1, s·M(u, v))) ("some entity without the edge");
- those of symbolic answering (`DenseConfig.like`), so that both rank by the same truths: several
  ways count as 1 − Π(1 − x), a negation is (1 − x)ˢ, an intersection gives what the threshold hid
  the benefit of the doubt, and ties go by the same fall-back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray

from kg.errors import UnsafeQueryError, UnsupportedQueryError
from kg.snapshot import Snapshot
from reasoning.known_edges import known_edges
from reasoning.normal_form import normalise
from reasoning.protocols import LinkPredictor
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
from reasoning.symbolic.prior import PRIOR_WEIGHT, Prior

__all__ = ["DenseAnswerer", "DenseConfig"]

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class DenseConfig:
    """How the dense formulation treats edges.

    Attributes:
        epsilon: Predicted edges up to this count 0; QTO's threshold is 2e-4.
        delta: A predicted edge is never surer than 1 − delta.
        max_support: Most entities whose edges a projection follows; all of them if None, which is
            the formulation.
        negation: "no edge" as first-order logic reads it, or "some entity without" as QTO does.
        negation_scale: QTO's s, for "some entity without".
        negation_power: "no edge" is (1 − x) ** negation_power.
        noisy_or: Several ways to an entity count as 1 − Π(1 − x) and not by the best of them.
        benefit_of_doubt: As `SymbolicConfig.benefit_of_doubt`, of what threshold and limit hid.
        fall_back: Ties are told apart by `Prior`.
        memory_bytes: Most memory for kept rows.
        block_rows: How many rows are computed at once.
    """

    epsilon: float = 2e-4
    delta: float = 1e-4
    max_support: int | None = None
    negation: Literal["no edge", "some entity without"] = "no edge"
    negation_scale: float = 3.0
    negation_power: float = 1.0
    noisy_or: bool = False
    benefit_of_doubt: float = 0.0
    fall_back: bool = False
    memory_bytes: int = 1_000_000_000
    block_rows: int = 128

    @classmethod
    def like(cls, config: SymbolicConfig, *, max_support: int | None = None) -> DenseConfig:
        """Return the formulas by which symbolic answering ranks, without its limits."""
        return cls(
            epsilon=config.epsilon,
            delta=config.delta,
            max_support=max_support,
            negation_power=config.negation_power,
            noisy_or=config.noisy_or,
            benefit_of_doubt=config.benefit_of_doubt,
            fall_back=True,
            memory_bytes=config.memory_bytes,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """The set of a node: truths, and how much more of any threshold and limit may have hidden."""

    truth: Vector
    above: float = 0.0

    @property
    def top(self) -> float:
        return min(1.0, float(self.truth.max(initial=0.0)) + self.above)


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """A dense row, and the largest probability that the threshold took from it."""

    values: Vector
    dropped: float


class DenseAnswerer:
    """Scores all entities by dense vectors and dense rows.

    Args:
        snapshot: The graph; all its edges count as known.
        predictor: Gives dense rows.
        config: Thresholds and limits.
    """

    def __init__(
        self, snapshot: Snapshot, predictor: LinkPredictor, config: DenseConfig | None = None
    ) -> None:
        self.snapshot = snapshot
        self.predictor = predictor
        self.config = config or DenseConfig()
        self._known = known_edges(snapshot, known_probability=0.0)
        self._kept: OrderedDict[tuple[int, bool, int], _Row] = OrderedDict()
        self._most_kept = self.config.memory_bytes // (4 * max(1, snapshot.num_entities))
        self._prior = Prior(snapshot)

    def scores(self, trees: Sequence[Query]) -> NDArray[np.float32]:
        """Return ``(num_queries, num_entities)`` truths.

        Raises:
            UnsafeQueryError: A query's answers would be "everything but …".
            UnsupportedQueryError: A label, a comparison or a soft anchor; the benches have none.
        """
        found = np.empty((len(trees), self.snapshot.num_entities), dtype=np.float32)
        for place, tree in enumerate(trees):
            check_safe(tree)
            query = normalise(tree)
            found[place] = self._value(query).truth
            if self.config.fall_back:
                found[place] *= np.float32(1.0 - PRIOR_WEIGHT)
                found[place] += self._prior.of(query) * np.float32(PRIOR_WEIGHT)
        return found

    def _value(self, node: Query) -> _Held:
        match node:
            case Anchor(entity=key):
                vector = np.zeros(self.snapshot.num_entities, dtype=np.float32)
                vector[self.snapshot.entity_id(key)] = 1.0
                return _Held(vector)
            case Projection():
                return self._projected(node, absent=False)
            case Intersection(children=branches):
                return self._intersection(branches)
            case Union(children=branches):
                return _union([self._value(branch) for branch in branches])
            case Negation():
                raise UnsafeQueryError("a negation without a positive branch")
            case SoftAnchor() | Labelled() | Compare():
                raise UnsupportedQueryError(f"the dense formulation has no {type(node).__name__}")
            case _:
                assert_never(node)

    def _intersection(self, branches: Sequence[Query]) -> _Held:
        positive = [self._value(one) for one in branches if not isinstance(one, Negation)]
        # no other branch speaks for what a single one does not list
        doubt = self.config.benefit_of_doubt if len(positive) > 1 else 0.0
        truth = np.ones(self.snapshot.num_entities, dtype=np.float32)
        for held in positive:
            truth *= np.maximum(held.truth, np.float32(doubt * held.above))
        if doubt:
            truth[np.logical_and.reduce([held.truth == 0.0 for held in positive])] = 0.0
        for branch in branches:
            if isinstance(branch, Negation):
                truth *= self._absent(branch.child)
        tops = [held.top for held in positive]
        shares = [prod(tops[:i] + tops[i + 1 :]) for i in range(len(tops))]
        above = sum(held.above * share for held, share in zip(positive, shares, strict=True))
        return _Held(truth, min(1.0, above))

    def _absent(self, node: Query) -> Vector:
        """Return how true it is of each entity that it is no answer of a negated query."""
        if self.config.negation == "some entity without" and isinstance(node, Projection):
            return self._projected(node, absent=True).truth
        absent = np.float32(1.0) - self._value(node).truth
        power = np.float32(self.config.negation_power)
        return absent if power == 1.0 else np.power(absent, power)

    def _projected(self, node: Projection, *, absent: bool) -> _Held:
        inner = self._value(node.child)
        relation = self.snapshot.relation_id(node.relation)
        heads = np.flatnonzero(inner.truth).astype(np.int32)
        most, left_out = self.config.max_support, 0.0
        if most is not None and len(heads) > most:
            order = np.argsort(-inner.truth[heads], kind="stable")
            left_out = float(inner.truth[heads[order[most]]]) * (1.0 - self.config.delta)
            rest, heads = np.sort(heads[order[most:]]), np.sort(heads[order[:most]])
            found = self._along_known(inner.truth, rest, relation, inverse=node.inverse)
        else:
            found = np.zeros(self.snapshot.num_entities, dtype=np.float32)
        carried = np.empty_like(found)
        rows = self._rows(heads, relation, inverse=node.inverse)
        for truth, row in zip(inner.truth[heads], rows, strict=True):
            left_out = max(left_out, float(truth) * row.dropped)
            if absent:
                np.multiply(row.values, np.float32(self.config.negation_scale), out=carried)
                np.subtract(np.float32(1.0), np.minimum(carried, 1.0, out=carried), out=carried)
                carried *= truth
            else:
                np.multiply(row.values, truth, out=carried)
            if self.config.noisy_or and not absent:
                # x + y − x·y: 1 − (1 − x)(1 − y) would lose the digits of small ones
                carried *= np.float32(1.0) - found
                found += carried
            else:
                np.maximum(found, carried, out=found)
        return _Held(found, min(1.0, inner.above + left_out))

    def _along_known(
        self, truth: Vector, heads: NDArray[np.int32], relation: int, *, inverse: bool
    ) -> Vector:
        """Return what the known edges alone of some entities carry."""
        edges = self._known.row(relation, inverse=inverse)
        places = edges.positions(heads)
        found = np.zeros_like(truth)
        carried, ends = truth[edges.starts[places]], edges.ends[places]
        if not self.config.noisy_or:
            np.maximum.at(found, ends, carried)
            return found
        np.add.at(found, ends, np.log1p(-np.minimum(carried, np.float32(1.0 - 1e-7))))
        return np.asarray(-np.expm1(found), dtype=np.float32)

    def _rows(self, heads: NDArray[np.int32], relation: int, *, inverse: bool) -> Iterator[_Row]:
        """Yield the row of each head, known edges 1."""
        for start in range(0, len(heads), self.config.block_rows):
            chunk = heads[start : start + self.config.block_rows]
            found = {head: self._kept.get((relation, inverse, head)) for head in chunk.tolist()}
            missing = np.array([h for h, row in found.items() if row is None], dtype=np.int32)
            if len(missing):
                fresh = self._computed(missing, relation, inverse=inverse)
                for head, row in zip(missing.tolist(), fresh, strict=True):
                    found[head] = self._kept[relation, inverse, head] = row
            for head in found:
                self._kept.move_to_end((relation, inverse, head))
            while len(self._kept) > self._most_kept:
                self._kept.popitem(last=False)
            yield from (row for row in found.values() if row is not None)

    def _computed(
        self, heads: NDArray[np.int32], relation: int, *, inverse: bool
    ) -> Iterator[_Row]:
        fresh = self.predictor.rows(heads, relation, inverse=inverse)
        fresh = np.minimum(fresh, np.float32(1.0 - self.config.delta))
        hidden = fresh <= self.config.epsilon
        dropped = np.zeros(len(heads), dtype=np.float32)
        if self.config.benefit_of_doubt:
            dropped = fresh.max(axis=1, initial=0.0, where=hidden)
        fresh[hidden] = 0.0
        edges = self._known.row(relation, inverse=inverse)
        places = edges.positions(heads)
        fresh[np.searchsorted(heads, edges.starts[places]), edges.ends[places]] = 1.0
        for row, most in zip(fresh, dropped.tolist(), strict=True):
            yield _Row(row.copy(), most)


def _union(branches: Sequence[_Held]) -> _Held:
    truth = np.zeros_like(branches[0].truth)
    for held in branches:
        truth += held.truth * (np.float32(1.0) - truth)
    return _Held(truth, min(1.0, sum(held.above for held in branches)))
