"""Proofs of likely answers: the best binding of every variable over known and predicted edges.

On a tree the best binding is found by walking down from the answer, at each projection to the
entity with the largest product of its own truth and the edge's probability (`reasoning.proofs`
holds the walk).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from reasoning.proof_tree import Proof, ProofEdge
from reasoning.proofs import Bindings, Prover, edge_of, proof_of
from reasoning.query import Negation, Projection, Query, SoftAnchor
from reasoning.symbolic.fuzzy import TRUTH, Entries, FuzzySet

if TYPE_CHECKING:
    from kg.snapshot import Snapshot
    from reasoning.symbolic.evaluation import Evaluation

__all__ = ["FuzzyProver"]

_ROUNDING = 1e-12
"""Two truths closer than this are one: they differ by the order of their factors."""


class FuzzyProver:
    """The bindings of answers of one query over likely edges.

    Args:
        query: Safe, in normal form.
        evaluation: The values of its nodes.
    """

    def __init__(self, query: Query, evaluation: Evaluation) -> None:
        self._query = query
        self._evaluation = evaluation
        self._entering: dict[Projection, _Entering] = {}

    @property
    def snapshot(self) -> Snapshot:
        """The graph."""
        return self._evaluation.edges.snapshot

    @property
    def against(self) -> Bindings:
        """Likely edges also make the case for what must not hold."""
        return self

    @property
    def negation_power(self) -> float:
        """The power of "not"."""
        return self._evaluation.edges.config.negation_power

    def proof(self, entity: int) -> Proof:
        """Return the best proof of an answer.

        Args:
            entity: Id of an entity with a truth above 0.

        Raises:
            InputError: Its truth is 0.
        """
        return proof_of(self._query, entity, self)

    def proof_of_known(self, entity: int, known: Prover) -> Proof:
        """Return a proof of a known answer whose score is the answer's truth.

        It goes over known edges. Only where a negation inside the query is doubtful, a binding
        over predicted edges can be truer than all over known ones; then that one is the proof.

        Raises:
            InputError: Nothing proves it.
        """
        proof = proof_of(self._query, entity, _KnownFirst(known, self))
        if abs(proof.score() - self.truth(self._query, entity)) <= _ROUNDING:
            return proof
        return self.proof(entity)

    def truth(self, node: Query, entity: int) -> float:
        """Return the truth of a positive node at an entity."""
        ids = np.array([entity], dtype=np.int32)
        return float(self._evaluation.value(node).at(ids)[TRUTH, 0])

    def proves(self, node: Query, entity: int) -> bool:
        """Tell whether the truth of a node at an entity is above 0; a negation can always show."""
        return isinstance(node, Negation) or self.truth(node, entity) > 0.0

    def membership(self, node: SoftAnchor, entity: int) -> float:
        """Return the membership of a candidate."""
        return self.truth(node, entity)

    def step(self, node: Projection, entity: int) -> tuple[int, ProofEdge]:
        """Return the entity before the best edge into `entity`, and that edge.

        Of equals, a known edge comes first, then the lowest id: the same proof on every run.
        """
        entering = self._entering.get(node)
        if entering is None:
            entering = self._entering[node] = self._edges_of(node)
        before, probability, known = entering.best(entity)
        name = self.snapshot.entities.name
        edge = edge_of(
            node,
            name(entity),
            name(before),
            status="known" if known else "predicted",
            probability=probability,
        )
        return before, self._recorded(edge) if known else edge

    def _edges_of(self, node: Projection) -> _Entering:
        start = self._evaluation.value(node.child)
        relation = self.snapshot.relation_id(node.relation)
        entries = self._evaluation.edges.entries(start, relation, inverse=node.inverse)
        return _Entering(start, entries)

    def _recorded(self, edge: ProofEdge) -> ProofEdge:
        """Return a known edge with its recorded probability; one that a call added has 1."""
        stored = self.snapshot.edge_probability(
            self.snapshot.entity_id(edge.head),
            self.snapshot.relation_id(edge.relation),
            self.snapshot.entity_id(edge.tail),
        )
        known = stored >= self._evaluation.edges.config.known_probability
        return replace(edge, probability=float(stored) if known else 1.0)


class _Entering:
    """The edges of one projection, sorted by where they lead.

    Args:
        start: The set that they leave.
        entries: The edges.
    """

    def __init__(self, start: FuzzySet, entries: Entries) -> None:
        values = start.values[TRUTH, entries.sources] * entries.probabilities
        order = np.lexsort((entries.sources, ~entries.known, -values, entries.ends))
        self._ends = entries.ends[order]
        self._before = start.ids[entries.sources[order]]
        self._probabilities = entries.probabilities[order]
        self._known = entries.known[order]

    def best(self, entity: int) -> tuple[int, float, bool]:
        """Return where the best edge into an entity comes from, its probability, if it is known."""
        place = int(np.searchsorted(self._ends, entity))
        return (
            int(self._before[place]),
            float(self._probabilities[place]),
            bool(self._known[place]),
        )


class _KnownFirst:
    """Known bindings where there are any, likely ones elsewhere; doubts come from likely edges."""

    def __init__(self, known: Prover, likely: FuzzyProver) -> None:
        self._known = known
        self._likely = likely
        self.snapshot: Snapshot = likely.snapshot
        self.against: Bindings = likely
        self.negation_power = likely.negation_power

    def proves(self, node: Query, entity: int) -> bool:
        return self._known.proves(node, entity) or self._likely.proves(node, entity)

    def membership(self, node: SoftAnchor, entity: int) -> float:
        return self._likely.membership(node, entity)

    def step(self, node: Projection, entity: int) -> tuple[int, ProofEdge]:
        chosen = self._known if self._known.proves(node, entity) else self._likely
        return chosen.step(node, entity)
