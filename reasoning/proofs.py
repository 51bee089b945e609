"""Proofs: one walk down the query binds every variable; the exact evaluator's choice of bindings.

The walk is the same for every interpreter. What differs is a `Bindings`: which entity a variable
takes, and what an edge is worth. `Prover` chooses over known edges,
`reasoning.symbolic.explanation` over likely ones, `reasoning.why_not` also over missing ones.
"""

from __future__ import annotations

from functools import reduce
from typing import Protocol, assert_never

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from kg.model import EntityKey
from kg.snapshot import Snapshot
from reasoning.comparisons import matching
from reasoning.known_edges import Ids, KnownEdges
from reasoning.proof_tree import (
    EdgeStatus,
    Proof,
    ProofAnchor,
    ProofEdge,
    ProofFact,
    ProofGap,
    ProofIntersection,
    ProofNegation,
    ProofNode,
    ProofProjection,
    ProofUnion,
)
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
from reasoning.sentences import denial, fact

__all__ = ["Bindings", "Prover", "edge_of", "proof_of"]

Values = NDArray[np.float64]
"""``(num_entities,)`` best probability of a binding; 0 for what is no answer."""


class Bindings(Protocol):
    """Which entity each variable of a query takes, and what the edges between them are worth."""

    @property
    def snapshot(self) -> Snapshot:
        """The graph."""
        ...

    @property
    def against(self) -> Bindings:
        """The bindings that make the case for what a negated branch forbids."""
        ...

    @property
    def negation_power(self) -> float:
        """The power of "not": (1 − x) to it."""
        ...

    def proves(self, node: Query, entity: int) -> bool:
        """Tell whether there is anything to show for a node held by an entity."""
        ...

    def membership(self, node: SoftAnchor, entity: int) -> float:
        """Return what a candidate of a soft anchor counts for."""
        ...

    def step(self, node: Projection, entity: int) -> tuple[int, ProofEdge]:
        """Return the best entity before a projection's edge into `entity`, and that edge.

        Only asked where `proves` says yes.
        """
        ...


def proof_of(query: Query, entity: int, bindings: Bindings) -> Proof:
    """Return the proof of an answer under a choice of bindings.

    Args:
        query: Safe, in normal form.
        entity: Id of the answer.
        bindings: The choice.

    Raises:
        InputError: Nothing proves it.
    """
    if not bindings.proves(query, entity):
        name = bindings.snapshot.names[entity]
        raise InputError(f"{name!r} is no answer of {describe(query)}")
    return Proof(tree=_node(query, entity, bindings))


def _node(node: Query, entity: int, bindings: Bindings) -> ProofNode:
    key, name = bindings.snapshot.entities.name(entity), bindings.snapshot.names[entity]
    if not bindings.proves(node, entity):
        return ProofGap(entity=key, text=describe(node))
    match node:
        case Anchor(entity=given):
            if given != key:
                return ProofFact(entity=key, text=denial(node, name), truth=0.0)
            return ProofAnchor(entity=key)
        case SoftAnchor(candidates=candidates):
            membership = dict(candidates).get(key, 0.0)
            return ProofAnchor(
                entity=key,
                truth=bindings.membership(node, entity),
                probability=membership,
                text=f"{name} is a candidate, membership {membership:.2f}",
            )
        case Labelled() | Compare():
            text, holds = fact(node, entity, bindings.snapshot)
            return ProofFact(entity=key, text=text, truth=float(holds))
        case Projection(child=child):
            before, edge = bindings.step(node, entity)
            return ProofProjection(entity=key, edge=edge, child=_node(child, before, bindings))
        case Intersection(children=branches):
            parts = tuple(_node(branch, entity, bindings) for branch in branches)
            return ProofIntersection(entity=key, branches=parts)
        case Union(children=branches):
            parts = tuple(_node(branch, entity, bindings) for branch in branches)
            return ProofUnion(entity=key, branches=parts)
        case Negation(child=child):
            text = denial(child, name)
            case_for = _forbidden(child, entity, bindings.against)
            power = bindings.negation_power
            return ProofNegation(entity=key, text=text, child=case_for, power=power)
        case _:
            assert_never(node)


def _forbidden(child: Query, entity: int, bindings: Bindings) -> ProofNode:
    """Return the strongest case for what must not hold; one edge that is not there is named."""
    if not isinstance(child, Projection) or not isinstance(child.child, Anchor):
        return _node(child, entity, bindings)
    if bindings.proves(child, entity):
        return _node(child, entity, bindings)
    key, other = bindings.snapshot.entities.name(entity), child.child.entity
    return ProofProjection(
        entity=key,
        edge=edge_of(child, key, other, status="absent", probability=0.0),
        child=ProofAnchor(entity=other),
    )


def edge_of(
    node: Projection,
    entity: EntityKey,
    before: EntityKey,
    *,
    status: EdgeStatus,
    probability: float,
) -> ProofEdge:
    """Return the edge by which a projection goes from `before` to `entity`."""
    head, tail = (entity, before) if node.inverse else (before, entity)
    return ProofEdge(
        head=head, relation=node.relation, tail=tail, status=status, probability=probability
    )


class Prover:
    """The bindings of known answers: of all over known edges, the most probable one.

    The value of a binding is the product of the probabilities of its edges; on a tree the best one
    is found by max-product dynamic programming, a pass over arrays for each node. Everything that
    a proof names as known is an edge of the graph (or was added by the call's edits). Negation is
    closed-world. The arrays are computed once, when the first answer is proved.

    Args:
        query: Safe, in normal form.
        edges: Known edges.
    """

    def __init__(self, query: Query, edges: KnownEdges) -> None:
        self._query = query
        self._edges = edges
        self._values: dict[int, Values] = {}

    @property
    def snapshot(self) -> Snapshot:
        """The graph."""
        return self._edges.snapshot

    @property
    def against(self) -> Bindings:
        """Known edges also make the case for what must not hold."""
        return self

    @property
    def negation_power(self) -> float:
        """1: what is not known is not true."""
        return 1.0

    def proof(self, entity: int) -> Proof:
        """Return the best proof of an answer.

        Args:
            entity: Id of an entity that is an answer.

        Raises:
            InputError: It is no answer.
        """
        return proof_of(self._query, entity, self)

    def proves(self, node: Query, entity: int) -> bool:
        """Tell whether an entity is a known answer of a node of the query."""
        return bool(self._value(node)[entity] > 0.0)

    def membership(self, node: SoftAnchor, entity: int) -> float:
        """Return 1: a candidate that counts as known counts as true."""
        return float(self.proves(node, entity))

    def step(self, node: Projection, entity: int) -> tuple[int, ProofEdge]:
        """Return the entity before the most probable known edge into `entity`, and that edge."""
        row = self._edges.row(self.snapshot.relation_id(node.relation), inverse=not node.inverse)
        places = row.positions(np.array([entity], dtype=np.int32))
        before = row.ends[places]
        best = int(np.argmax(self._value(node.child)[before] * row.probabilities[places]))
        name = self.snapshot.entities.name
        edge = edge_of(
            node,
            name(entity),
            name(int(before[best])),
            status="known",
            probability=float(row.probabilities[places[best]]),
        )
        return int(before[best]), edge

    def _value(self, node: Query) -> Values:
        """Return the values of a node; nodes are told apart by identity within one query."""
        found = self._values.get(id(node))
        if found is None:
            found = self._values[id(node)] = self._computed(node)
        return found

    def _computed(self, node: Query) -> Values:
        snapshot = self.snapshot
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
        values = np.zeros(self.snapshot.num_entities)
        values[ids] = 1.0
        return values
