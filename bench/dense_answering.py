"""The dense formulation of max-product answering: the rival of sparse sets in `bench`.

As QTO writes it (Bai et al., arXiv 2212.09567): a query's set is a vector of all entities, a
projection takes the dense rows of every entity in it, multiplies and takes the maximum over them,
known edges count 1 and entries below a threshold 0. Rows come from the predictor when they are
needed, since all rows of a graph of 63,361 entities and 400 directed relations would not fit any
memory; as many as fit a limit are kept.

Negation is read as symbolic answering does, 1 − max over bindings ("no such edge"), or as QTO does:
the last hop under it becomes max_u T(u)·(1 − min(1, s·M(u, v))) ("some entity without the edge").
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
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
        memory_bytes: Most memory for kept rows.
        block_rows: How many rows are worked on at once.
    """

    epsilon: float = 2e-4
    delta: float = 1e-4
    max_support: int | None = None
    negation: Literal["no edge", "some entity without"] = "no edge"
    negation_scale: float = 3.0
    memory_bytes: int = 1_000_000_000
    block_rows: int = 128


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
        self._kept: OrderedDict[tuple[int, bool, int], Vector] = OrderedDict()
        self._most_kept = self.config.memory_bytes // (4 * max(1, snapshot.num_entities))

    def scores(self, trees: Sequence[Query]) -> NDArray[np.float32]:
        """Return ``(num_queries, num_entities)`` truths.

        Raises:
            UnsafeQueryError: A query's answers would be "everything but …".
            UnsupportedQueryError: A label, a comparison or a soft anchor; the benches have none.
        """
        found = np.empty((len(trees), self.snapshot.num_entities), dtype=np.float32)
        for place, tree in enumerate(trees):
            check_safe(tree)
            found[place] = self._value(normalise(tree))
        return found

    def _value(self, node: Query) -> Vector:
        match node:
            case Anchor(entity=key):
                vector = np.zeros(self.snapshot.num_entities, dtype=np.float32)
                vector[self.snapshot.entity_id(key)] = 1.0
                return vector
            case Projection():
                return self._projected(node, absent=False)
            case Intersection(children=branches):
                held = [self._branch(branch) for branch in branches]
                return np.asarray(np.prod(held, axis=0), dtype=np.float32)
            case Union(children=branches):
                absent = [1.0 - self._value(branch) for branch in branches]
                return np.asarray(1.0 - np.prod(absent, axis=0), dtype=np.float32)
            case Negation():
                raise UnsafeQueryError("a negation without a positive branch")
            case SoftAnchor() | Labelled() | Compare():
                raise UnsupportedQueryError(f"the dense formulation has no {type(node).__name__}")
            case _:
                assert_never(node)

    def _branch(self, node: Query) -> Vector:
        if not isinstance(node, Negation):
            return self._value(node)
        if self.config.negation == "some entity without" and isinstance(node.child, Projection):
            return self._projected(node.child, absent=True)
        return np.asarray(1.0 - self._value(node.child), dtype=np.float32)

    def _projected(self, node: Projection, *, absent: bool) -> Vector:
        inner = self._value(node.child)
        relation = self.snapshot.relation_id(node.relation)
        heads = np.flatnonzero(inner).astype(np.int32)
        most = self.config.max_support
        if most is not None and len(heads) > most:
            order = np.argsort(-inner[heads], kind="stable")[:most]
            heads = np.sort(heads[order])
        result = np.zeros(self.snapshot.num_entities, dtype=np.float32)
        for start in range(0, len(heads), self.config.block_rows):
            chunk = heads[start : start + self.config.block_rows]
            matrix = self._rows(chunk, relation, inverse=node.inverse)
            if absent:
                matrix = 1.0 - np.minimum(1.0, self.config.negation_scale * matrix)
            np.maximum(result, (matrix * inner[chunk][:, None]).max(axis=0), out=result)
        return result

    def _rows(self, heads: NDArray[np.int32], relation: int, *, inverse: bool) -> Vector:
        """Return ``(len(heads), num_entities)`` rows, known edges 1."""
        found = {head: self._kept.get((relation, inverse, head)) for head in heads.tolist()}
        missing = np.array([h for h, row in found.items() if row is None], dtype=np.int32)
        if len(missing):
            fresh = self.predictor.rows(missing, relation, inverse=inverse)
            fresh = np.minimum(fresh, np.float32(1.0 - self.config.delta))
            fresh[fresh <= self.config.epsilon] = 0.0
            edges = self._known.row(relation, inverse=inverse)
            places = edges.positions(missing)
            fresh[np.searchsorted(missing, edges.starts[places]), edges.ends[places]] = 1.0
            for head, row in zip(missing.tolist(), fresh, strict=True):
                found[head] = row
                self._kept[relation, inverse, head] = row.copy()
        for head in found:
            if (relation, inverse, head) in self._kept:
                self._kept.move_to_end((relation, inverse, head))
        while len(self._kept) > self._most_kept:
            self._kept.popitem(last=False)
        return np.stack([row for row in found.values() if row is not None])
