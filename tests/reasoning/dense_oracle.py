"""Fuzzy truth by loops over all pairs, written for clearness; and a predictor from a table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from reasoning.protocols import Edits
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Union,
)
from tests.reasoning.oracles import compare_holds

__all__ = ["TablePredictor", "dense_truth", "edge_table", "random_table"]


class TablePredictor:
    """Implements `LinkPredictor` by a table ``(relation, head, tail)``."""

    def __init__(self, table: NDArray[np.float32]) -> None:
        self.table = table
        self.calls = 0

    @property
    def num_entities(self) -> int:
        return self.table.shape[1]

    @property
    def fingerprint(self) -> str:
        return "table"

    def rows(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
    ) -> NDArray[np.float32]:
        self.calls += 1
        table = self.table[relation]
        return (table.T if inverse else table)[entities]


def random_table(snapshot: Snapshot, seed: int) -> NDArray[np.float32]:
    """Return probabilities, a third of them 0."""
    shape = (snapshot.num_relations, snapshot.num_entities, snapshot.num_entities)
    random = np.random.default_rng(seed)
    return (random.random(shape) * (random.random(shape) < 0.67)).astype(np.float32)


def edge_table(
    snapshot: Snapshot,
    table: NDArray[np.float32],
    edits: Edits | None = None,
    *,
    known_only: bool = False,
    delta: float = 1e-4,
) -> NDArray[np.float64]:
    """Return the probability of every edge: 1 if known, else the graph's, else predicted."""
    edits = edits or Edits()
    edges = np.minimum(table, np.float32(1 - delta)).astype(np.float64)
    if known_only:
        edges[:] = 0.0
    for head, relation, tail, probability in zip(
        snapshot.heads, snapshot.relations, snapshot.tails, snapshot.probabilities, strict=True
    ):
        if probability >= 0.9:
            edges[relation, head, tail] = 1.0
        elif not known_only:
            edges[relation, head, tail] = probability
    for value, keys in ((1.0, edits.added), (0.0, edits.removed)):
        for head, relation, tail in keys:
            place = (
                snapshot.relation_id(relation),
                snapshot.entity_id(head),
                snapshot.entity_id(tail),
            )
            edges[place] = value
    return edges


def dense_truth(
    node: Query,
    snapshot: Snapshot,
    edges: NDArray[np.float64],
    negated_edges: NDArray[np.float64] | None = None,
    *,
    power: float = 1.0,
) -> NDArray[np.float64]:
    """Return the truth of every entity.

    With `negated_edges`, what stands under a negation uses those instead (and the other way
    round under the next), which gives lower and upper truth.
    """
    other = edges if negated_edges is None else negated_edges
    count = snapshot.num_entities
    if isinstance(node, Anchor):
        return np.array([float(key == node.entity) for key in snapshot.entities])
    if isinstance(node, Labelled):
        return np.array([float(snapshot.label_of(i) == node.label) for i in range(count)])
    if isinstance(node, Compare):
        return np.array([float(compare_holds(node, _Seen(snapshot, i))) for i in range(count)])
    if isinstance(node, Projection):
        inner = dense_truth(node.child, snapshot, edges, negated_edges, power=power)
        matrix = edges[snapshot.relation_id(node.relation)]
        if node.inverse:
            matrix = matrix.T
        return np.array([max(inner[u] * matrix[u, v] for u in range(count)) for v in range(count)])
    if isinstance(node, Negation):
        return (1.0 - dense_truth(node.child, snapshot, other, edges, power=power)) ** power
    rows = [
        dense_truth(child, snapshot, edges, negated_edges, power=power) for child in node.children
    ]
    if isinstance(node, Intersection):
        return np.prod(rows, axis=0)
    if isinstance(node, Union):
        return 1.0 - np.prod([1.0 - row for row in rows], axis=0)
    raise TypeError(node)


class _Seen:
    """What `compare_holds` reads of an entity, taken from a snapshot."""

    def __init__(self, snapshot: Snapshot, position: int) -> None:
        self.key = snapshot.entities.name(position)
        self.name = snapshot.names[position]
        self.attributes = {
            name: column[position]
            for name, column in snapshot.attributes.items()
            if position in column
        }
