"""The bindings of an answer that is none: of all ways to become one, that with the least missing.

Values are logarithms of truth. Where nothing makes a node true, a missing thing is paid for: it
costs more than any doubt, the more the harder it is to change. Max-plus dynamic programming over
arrays finds the best value; the walk of `reasoning.proofs` then names what is missing.
"""

from __future__ import annotations

from functools import reduce
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from reasoning.comparisons import matching
from reasoning.known_edges import Ids, KnownEdges
from reasoning.proof_tree import EdgeStatus, ProofEdge
from reasoning.proofs import Bindings, edge_of
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
from reasoning.symbolic.evaluation import Evaluation
from reasoning.symbolic.explanation import FuzzyProver
from reasoning.symbolic.fuzzy import TRUTH, crisp

__all__ = ["PossibleBindings"]

_MISSING_EDGE, _HOLDING_NEGATION = -1000.0, -1000.0
_WRONG_VALUE, _WRONG_LABEL, _WRONG_ENTITY = -1100.0, -1200.0, -4000.0
"""Below the logarithm of any product of probabilities."""

_TINY = 1e-300

Logs = NDArray[np.float64]
"""``(num_entities,)`` logarithm of truth, less what is missing."""


class PossibleBindings:
    """Bindings of one query for entities whose truth is 0.

    Args:
        query: Safe, in normal form.
        evaluation: Values of its nodes.
        graph: All edges of the graph, known and weaker ones, under the call's edits.
    """

    def __init__(self, query: Query, evaluation: Evaluation, graph: KnownEdges) -> None:
        self._evaluation = evaluation
        self._graph = graph
        self._values: dict[Query, Logs] = {}
        likely = FuzzyProver(query, evaluation)
        self.snapshot: Snapshot = likely.snapshot
        self.against: Bindings = likely
        self.negation_power = likely.negation_power

    def proves(self, _node: Query, _entity: int) -> bool:
        """Return True: any entity could be an answer if enough were different."""
        return True

    def membership(self, node: SoftAnchor, entity: int) -> float:
        """Return the membership of an entity, 0 if it is no candidate."""
        return dict(node.candidates).get(self.snapshot.entities.name(entity), 0.0)

    def step(self, node: Projection, entity: int) -> tuple[int, ProofEdge]:
        """Return the entity from which the least is missing, and the edge, `absent` if missing."""
        inner, (sources, ends, weights) = self._value(node.child), self._edges(node)
        entering = np.flatnonzero(ends == entity)
        values = inner[sources[entering]] + weights[entering]
        before = int(np.argmax(inner))
        if len(values) and values.max() >= inner[before] + _MISSING_EDGE:
            before = int(sources[entering[np.argmax(values)]])
        return before, self._edge(node, before, entity)

    def _edge(self, node: Projection, before: int, entity: int) -> ProofEdge:
        start = crisp(np.array([before], dtype=np.int32))
        relation = self.snapshot.relation_id(node.relation)
        entries = self._evaluation.edges.entries(start, relation, inverse=node.inverse)
        places = np.flatnonzero(entries.ends == entity)
        probability = float(entries.probabilities[places].max(initial=0.0))
        known = bool(entries.known[places].any())
        name = self.snapshot.entities.name
        status: EdgeStatus = "known" if known else "predicted" if probability > 0.0 else "absent"
        return edge_of(node, name(entity), name(before), status=status, probability=probability)

    def _value(self, node: Query) -> Logs:
        found = self._values.get(node)
        if found is None:
            found = self._values[node] = self._computed(node)
        return found

    def _computed(self, node: Query) -> Logs:
        snapshot = self.snapshot
        match node:
            case Anchor(entity=key):
                return self._only(
                    np.array([snapshot.entity_id(key)], dtype=np.int32), _WRONG_ENTITY
                )
            case SoftAnchor(candidates=candidates):
                values = np.full(snapshot.num_entities, _WRONG_ENTITY)
                for key, membership in candidates:
                    values[snapshot.entity_id(key)] = np.log(membership)
                return values
            case Labelled(label=label):
                return self._only(snapshot.ids_with_label(label), _WRONG_LABEL)
            case Compare():
                return self._only(matching(snapshot, node), _WRONG_VALUE)
            case Projection(child=child):
                inner, (sources, ends, weights) = self._value(child), self._edges(node)
                values = np.full(snapshot.num_entities, inner.max(initial=-np.inf) + _MISSING_EDGE)
                np.maximum.at(values, ends, inner[sources] + weights)
                return values
            case Intersection(children=branches):
                return reduce(np.add, map(self._value, branches))
            case Union(children=branches):
                return reduce(np.maximum, map(self._value, branches))
            case Negation(child=child):
                return self._absence(child)
            case _:
                assert_never(node)

    def _absence(self, child: Query) -> Logs:
        found = self._evaluation.value(child)
        values = np.zeros(self.snapshot.num_entities)
        absent = 1.0 - found.values[TRUTH]
        logs = np.log(absent, out=np.full(len(absent), _HOLDING_NEGATION), where=absent > 0.0)
        values[found.ids] = self.negation_power * logs
        return values

    def _only(self, ids: Ids, otherwise: float) -> Logs:
        values = np.full(self.snapshot.num_entities, otherwise)
        values[ids] = 0.0
        return values

    def _edges(self, node: Projection) -> tuple[Ids, Ids, NDArray[np.float64]]:
        """Return the edges of a projection: where they start and end, and their logarithms.

        All edges of the graph, and predicted ones that leave entities of a truth above 0.
        """
        relation = self.snapshot.relation_id(node.relation)
        row = self._graph.row(relation, inverse=node.inverse)
        known = row.probabilities >= self._evaluation.edges.config.known_probability
        stored = np.where(known, 1.0, row.probabilities.astype(np.float64))
        start = self._evaluation.value(node.child)
        entries = self._evaluation.edges.entries(start, relation, inverse=node.inverse)
        return (
            np.concatenate([row.starts, start.ids[entries.sources]]),
            np.concatenate([row.ends, entries.ends]),
            np.log(np.maximum(np.concatenate([stored, entries.probabilities]), _TINY)),
        )
