"""Proofs of known answers: of all bindings of the inner variables, the most probable one.

The value of a binding is the product of the probabilities of its edges; on a tree the best one is
found by max-product dynamic programming, a pass over arrays for each node, then a walk down.
Everything that a proof names as known is an edge of the graph (or was added by the call's edits).
"""

from __future__ import annotations

from functools import reduce
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from kg.model import EntityKey
from reasoning.answers import Proof, ProofEdge
from reasoning.comparisons import attribute_of, matching
from reasoning.known_edges import Ids, KnownEdges
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
from reasoning.safety import describe

__all__ = ["Prover"]

Values = NDArray[np.float64]
"""``(num_entities,)`` best probability of a binding; 0 for what is no answer."""


class Prover:
    """Proves answers of one query; the arrays are computed once, whatever the number of answers.

    Args:
        query: Safe, in normal form.
        edges: Known edges.
    """

    def __init__(self, query: Query, edges: KnownEdges) -> None:
        self._query = query
        self._edges = edges
        self._values: dict[int, Values] = {}
        self._value(query)

    def proof(self, entity: int) -> Proof:
        """Return the best proof of an answer.

        Args:
            entity: Id of an entity that is an answer.

        Raises:
            InputError: It is no answer.
        """
        edges: list[ProofEdge] = []
        facts: list[str] = []
        self._walk(self._query, entity, edges, facts)
        return Proof(
            edges=tuple(edges),
            facts=tuple(facts),
            probability=float(self._value(self._query)[entity]),
        )

    def _value(self, node: Query) -> Values:
        """Return the values of a node; nodes are told apart by identity within one query."""
        found = self._values.get(id(node))
        if found is None:
            found = self._values[id(node)] = self._computed(node)
        return found

    def _computed(self, node: Query) -> Values:
        snapshot = self._edges.snapshot
        match node:
            case Anchor(entity=key):
                return self._ones(np.array([snapshot.entity_id(key)], dtype=np.int32))
            case SoftAnchor(candidates=candidates):
                ids, memberships = self._edges.known_candidates(candidates)
                values = np.zeros(snapshot.num_entities)
                values[ids] = memberships
                return values
            case Labelled(label=label):
                return self._ones(snapshot.ids_with_label(label))
            case Compare():
                return self._ones(matching(snapshot, node))
            case Projection(relation=relation, child=child, inverse=inverse):
                row = self._edges.row(snapshot.relation_id(relation), inverse=inverse)
                values = np.zeros(snapshot.num_entities)
                reached = self._value(child)[row.starts] * row.probabilities
                np.maximum.at(values, row.ends, reached)
                return values
            case Union(children=branches):
                return reduce(np.maximum, map(self._value, branches))
            case Intersection(children=branches):
                return reduce(np.multiply, map(self._value, branches))
            case Negation(child=child):
                return np.equal(self._value(child), 0).astype(np.float64)
            case _:
                assert_never(node)

    def _ones(self, ids: Ids) -> Values:
        values = np.zeros(self._edges.snapshot.num_entities)
        values[ids] = 1.0
        return values

    def _walk(self, node: Query, entity: int, edges: list[ProofEdge], facts: list[str]) -> None:
        match node:
            case Anchor():
                return
            case SoftAnchor(candidates=candidates):
                membership = dict(candidates)[self._key(entity)]
                facts.append(f"{self._name(entity)} is a candidate, membership {membership:.2f}")
            case Labelled(label=label):
                facts.append(f"{self._name(entity)} is a {label}")
            case Compare():
                facts.append(self._compared(node, entity))
            case Projection(child=child):
                before, edge = self._best_edge(node, entity)
                edges.append(edge)
                self._walk(child, before, edges, facts)
            case Intersection(children=branches):
                for branch in branches:
                    self._walk(branch, entity, edges, facts)
            case Union(children=branches):
                best = max(branches, key=lambda branch: float(self._value(branch)[entity]))
                self._walk(best, entity, edges, facts)
            case Negation(child=child):
                self._absent(child, entity, edges, facts)
            case _:
                assert_never(node)

    def _best_edge(self, node: Projection, entity: int) -> tuple[int, ProofEdge]:
        """Return the entity before the best edge into `entity`, and that edge."""
        row = self._edges.row(
            self._edges.snapshot.relation_id(node.relation), inverse=not node.inverse
        )
        places = row.positions(np.array([entity], dtype=np.int32))
        before = row.ends[places]
        values = self._value(node.child)[before] * row.probabilities[places]
        best = int(np.argmax(values)) if len(values) else -1
        if best < 0 or values[best] == 0:
            raise InputError(f"{self._name(entity)!r} is no answer of {describe(node)}")
        start = int(before[best])
        head, tail = (entity, start) if node.inverse else (start, entity)
        edge = ProofEdge(
            head=self._key(head),
            relation=node.relation,
            tail=self._key(tail),
            status="known",
            probability=float(row.probabilities[places[best]]),
        )
        return start, edge

    def _absent(self, child: Query, entity: int, edges: list[ProofEdge], facts: list[str]) -> None:
        """Say what is not there: an edge between two named entities, or a plain sentence."""
        name = self._name(entity)
        match child:
            case Projection(relation=relation, child=Anchor(entity=other), inverse=inverse):
                head, tail = (self._key(entity), other) if inverse else (other, self._key(entity))
                edges.append(
                    ProofEdge(
                        head=head, relation=relation, tail=tail, status="absent", probability=1.0
                    )
                )
            case Anchor(entity=other):
                facts.append(f"{name} is not {other}")
            case Labelled(label=label):
                facts.append(f"{name} is not a {label}")
            case Compare(attribute=attribute, comparison=comparison, value=value):
                facts.append(f"not {attribute} of {name} {comparison} {value!r}")
            case _:
                facts.append(f"nothing known makes {name} one of: {describe(child)}")

    def _compared(self, node: Compare, entity: int) -> str:
        value = attribute_of(self._edges.snapshot, entity, node.attribute)
        words = f"{node.attribute} of {self._name(entity)} is {value!r}"
        return words if node.comparison == "=" else f"{words}, {node.comparison} {node.value!r}"

    def _name(self, entity: int) -> str:
        return self._edges.snapshot.names[entity]

    def _key(self, entity: int) -> EntityKey:
        return self._edges.snapshot.entities.name(entity)
