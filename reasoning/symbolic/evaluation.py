"""The fold of symbolic answering: the fuzzy set of every node of one or many queries.

Many queries are worked on in waves: the deepest projections of all queries first, so that the rows
that they need are computed together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

import numpy as np

from kg.errors import UnsafeQueryError
from kg.snapshot import Snapshot
from reasoning.comparisons import matching
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
    children,
)
from reasoning.safety import describe
from reasoning.symbolic.fuzzy import (
    FuzzySet,
    Maxima,
    crisp,
    either,
    together,
    transported,
)
from reasoning.symbolic.likely_edges import LikelyEdges

__all__ = ["Evaluation"]


class Evaluation:
    """The values of every node of some queries; equal subtrees are computed once.

    Args:
        edges: Likely edges.
        queries: Safe, in normal form. Others can be evaluated too; of these the rows are computed
            together, now.
        ranking: Only the order of all entities is wanted, so that estimates are welcome
            (`SymbolicConfig.benefit_of_doubt` and `noisy_or`).
    """

    def __init__(
        self, edges: LikelyEdges, queries: Sequence[Query] = (), *, ranking: bool = False
    ) -> None:
        self.edges = edges
        self._unlisted = edges.config.benefit_of_doubt if ranking else 0.0
        self._noisy_or = edges.config.noisy_or and ranking
        self._found: dict[Query, FuzzySet] = {}
        self._maxima = Maxima(edges.snapshot.num_entities)
        if len(queries) > 1:  # the few rows of a single query gain nothing by it
            for wave in _waves(queries):
                self._fetch(wave)

    def value(self, node: Query) -> FuzzySet:
        """Return the fuzzy set of a safe node in normal form."""
        found = self._found.get(node)
        if found is None:
            found = self._found[node] = self._computed(node)
        return found

    def _computed(self, node: Query) -> FuzzySet:
        snapshot = self.edges.snapshot
        match node:
            case Anchor(entity=key):
                return crisp(np.array([snapshot.entity_id(key)], dtype=np.int32))
            case SoftAnchor():
                return _candidates(node, snapshot, self.edges.config.known_probability)
            case Labelled(label=label):
                return crisp(snapshot.ids_with_label(label))
            case Compare():
                return crisp(matching(snapshot, node))
            case Projection(relation=relation, child=child, inverse=inverse):
                start, number = self.value(child), snapshot.relation_id(relation)
                entries = self.edges.entries(start, number, inverse=inverse)
                return transported(start, entries, self._maxima, noisy_or=self._noisy_or)
            case Intersection(children=branches):
                positive = [b for b in branches if not isinstance(b, Negation)]
                negative = [b.child for b in branches if isinstance(b, Negation)]
                return together(
                    self._values(positive),
                    self._values(negative),
                    self._maxima,
                    negation_power=self.edges.config.negation_power,
                    unlisted=self._unlisted,
                )
            case Union(children=branches):
                return either(self._values(branches), self._maxima)
            case Negation():
                raise UnsafeQueryError(f"a negation without a positive branch ({describe(node)})")
            case _:
                assert_never(node)

    def _values(self, nodes: Iterable[Query]) -> list[FuzzySet]:
        return [self.value(node) for node in nodes]

    def _fetch(self, wave: Iterable[Projection]) -> None:
        """Compute the missing rows that projections will need."""
        wanted = []
        for node in wave:
            start = self.value(node.child)
            followed, _ = self.edges.followed(start)
            relation = self.edges.snapshot.relation_id(node.relation)
            wanted.append(
                self.edges.predicted.keys(start.ids[followed], relation, inverse=node.inverse)
            )
        self.edges.predicted.fetch(np.concatenate(wanted))


def _waves(queries: Sequence[Query]) -> list[dict[Projection, None]]:
    """Return the projections of all queries by how many projections stand below, fewest first."""
    waves: list[dict[Projection, None]] = []

    def height(node: Query) -> int:
        below = max(map(height, children(node)), default=0)
        if not isinstance(node, Projection):
            return below
        while len(waves) <= below:
            waves.append({})
        waves[below][node] = None
        return below + 1

    for query in queries:
        height(query)
    return waves


def _candidates(node: SoftAnchor, snapshot: Snapshot, known_probability: float) -> FuzzySet:
    """Return a soft anchor's memberships; the lower value is 0 where one is not known."""
    found = sorted((snapshot.entity_id(key), value) for key, value in node.candidates)
    truth = np.array([value for _, value in found], dtype=np.float64)
    lower = np.where(truth >= known_probability, truth, 0.0)
    ids = np.array([entity for entity, _ in found], dtype=np.int32)
    return FuzzySet(ids=ids, values=np.stack([lower, truth, truth]))
