"""Proofs of likely answers: the best binding of every variable, edge by edge.

The counterpart of `reasoning.proofs` for fuzzy truth: on a tree the best binding is found by
walking down from the answer, at each projection to the entity with the largest product of its own
truth and the edge's probability. A union shows its best branch although its truth counts all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

import numpy as np

from kg.errors import InputError
from kg.model import EntityKey
from reasoning.answers import Proof, ProofEdge
from reasoning.comparisons import attribute_of
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
from reasoning.symbolic.fuzzy import TRUTH, crisp

if TYPE_CHECKING:
    from reasoning.symbolic.answerer import Evaluation

__all__ = ["FuzzyProver"]


class FuzzyProver:
    """Explains answers of one query.

    Args:
        query: Safe, in normal form.
        evaluation: The values of its nodes.
    """

    def __init__(self, query: Query, evaluation: Evaluation) -> None:
        self._query = query
        self._evaluation = evaluation
        self._snapshot = evaluation.edges.snapshot

    def proof(self, entity: int) -> Proof:
        """Return the best proof of an answer: edges root first, then facts.

        Args:
            entity: Id of an entity with a truth above 0.

        Raises:
            InputError: Its truth is 0.
        """
        edges: list[ProofEdge] = []
        facts: list[str] = []
        self._walk(self._query, entity, edges, facts)
        return Proof(
            edges=tuple(edges),
            facts=tuple(facts),
            probability=float(np.prod([edge.probability for edge in edges])),
        )

    def with_doubts(self, proof: Proof) -> Proof:
        """Return a proof over known edges in which each absent edge has its likely absence.

        Closed-world proofs take an edge that the graph lacks for absent; it may only be missing.
        """
        edges = tuple(
            replace(edge, probability=self._absence(edge)) if edge.status == "absent" else edge
            for edge in proof.edges
        )
        # absent edges count 1 in a closed-world proof
        doubts = [edge.probability for edge in edges if edge.status == "absent"]
        probability = proof.probability * float(np.prod(doubts))
        return replace(proof, edges=edges, probability=probability)

    def _absence(self, edge: ProofEdge) -> float:
        head, tail = map(self._snapshot.entity_id, (edge.head, edge.tail))
        start = crisp(np.array([head], dtype=np.int32))
        entries = self._evaluation.edges.entries(
            start, self._snapshot.relation_id(edge.relation), inverse=False
        )
        return 1.0 - float(entries.probabilities[entries.ends == tail].max(initial=0.0))

    def _truth(self, node: Query, entity: int) -> float:
        ids = np.array([entity], dtype=np.int32)
        return float(self._evaluation.value(node).at(ids)[TRUTH, 0])

    def _walk(self, node: Query, entity: int, edges: list[ProofEdge], facts: list[str]) -> None:
        match node:
            case Anchor():
                return
            case SoftAnchor(candidates=candidates):
                membership = dict(candidates)[self._key(entity)]
                facts.append(f"{self._name(entity)} is a candidate, membership {membership:.2f}")
            case Labelled(label=label):
                facts.append(f"{self._name(entity)} is a {label}")
            case Compare(attribute=attribute):
                value = attribute_of(self._snapshot, entity, attribute)
                words = f"{attribute} of {self._name(entity)} is {value!r}"
                exact = node.comparison == "="
                facts.append(words if exact else f"{words}, {node.comparison} {node.value!r}")
            case Projection(child=child):
                before, edge = self._best_edge(node, entity)
                edges.append(edge)
                self._walk(child, before, edges, facts)
            case Intersection(children=branches):
                for branch in branches:
                    self._walk(branch, entity, edges, facts)
            case Union(children=branches):
                best = max(branches, key=lambda branch: self._truth(branch, entity))
                self._walk(best, entity, edges, facts)
            case Negation(child=child):
                self._absent(child, entity, edges, facts)
            case _:
                assert_never(node)

    def _best_edge(self, node: Projection, entity: int) -> tuple[int, ProofEdge]:
        """Return the entity before the best edge into `entity`, and that edge."""
        start = self._evaluation.value(node.child)
        entries = self._evaluation.edges.entries(
            start, self._snapshot.relation_id(node.relation), inverse=node.inverse
        )
        places = np.flatnonzero(entries.ends == entity)
        values = start.values[TRUTH, entries.sources[places]] * entries.probabilities[places]
        if not len(places) or values.max() <= 0.0:
            raise InputError(f"{self._name(entity)!r} is no answer of {describe(node)}")
        # of equals, a known edge first, then the lowest id: the same proof on every run
        order = np.lexsort((entries.sources[places], ~entries.known[places], -values))
        best = places[order[0]]
        before = int(start.ids[entries.sources[best]])
        head, tail = (entity, before) if node.inverse else (before, entity)
        edge = ProofEdge(
            head=self._key(head),
            relation=node.relation,
            tail=self._key(tail),
            status="known" if entries.known[best] else "predicted",
            probability=float(entries.probabilities[best]),
        )
        return before, edge

    def _absent(self, child: Query, entity: int, edges: list[ProofEdge], facts: list[str]) -> None:
        """Say what must not hold: an edge between two given entities, or a sentence."""
        name, absence = self._name(entity), 1.0 - self._truth(child, entity)
        match child:
            case Projection(relation=relation, child=Anchor(entity=other), inverse=inverse):
                head, tail = (self._key(entity), other) if inverse else (other, self._key(entity))
                edges.append(
                    ProofEdge(
                        head=head,
                        relation=relation,
                        tail=tail,
                        status="absent",
                        probability=absence,
                    )
                )
            case Anchor(entity=other):
                facts.append(f"{name} is not {other}")
            case Labelled(label=label):
                facts.append(f"{name} is not a {label}")
            case Compare(attribute=attribute, comparison=comparison, value=value):
                facts.append(f"not {attribute} of {name} {comparison} {value!r}")
            case _:
                sentence = f"{name} is none of: {describe(child)}"
                facts.append(f"{sentence} (probability {absence:.2f})")

    def _name(self, entity: int) -> str:
        return self._snapshot.names[entity]

    def _key(self, entity: int) -> EntityKey:
        return self._snapshot.entities.name(entity)
