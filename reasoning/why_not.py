"""Why an entity that somebody expected is no answer, or a weak one: its weakest link.

The entity gets the best proof that it could have. Where its truth is above 0 that is its proof.
Where it is 0, something is missing: an edge that neither the graph nor the predictor holds
possible, a label or attribute that does not fit, or a negated branch that surely holds. Then the
proof with the least missing is found (`reasoning.possible_bindings`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, assert_never

import numpy as np

from kg.model import EntityKey
from kg.snapshot import Snapshot
from reasoning.known_edges import known_edges
from reasoning.normal_form import normalise
from reasoning.possible_bindings import PossibleBindings
from reasoning.proof_tree import (
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
    truth_of,
)
from reasoning.proofs import Bindings, proof_of
from reasoning.protocols import Edits
from reasoning.query import Query
from reasoning.safety import check_safe
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.explanation import FuzzyProver
from reasoning.symbolic.fuzzy import TRUTH

__all__ = ["Link", "WhyNot", "why_not"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One thing that a proof rests on and that is not certain.

    Attributes:
        kind: An edge; a fact (label, attribute, given entity); or a negated branch.
        text: What would have to hold, or what does not fit.
        truth: How true it is, below 1.
        edge: The edge, or the one edge that a negated branch forbids.
    """

    kind: Literal["edge", "fact", "negation"]
    text: str
    truth: float
    edge: ProofEdge | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """Why an entity is no better answer.

    Attributes:
        query: As it was answered (normal form).
        entity: The entity.
        truth: Its truth, in [0, 1].
        better: How many entities have a higher truth.
        proof: The best proof that it could have.
        needed: All links of that proof that are not certain, root first.
    """

    query: Query
    entity: EntityKey
    truth: float
    better: int
    proof: Proof
    needed: tuple[Link, ...]

    @property
    def weakest(self) -> Link | None:
        """The link of lowest truth, the first of equals; None if all are certain."""
        return min(self.needed, key=lambda link: link.truth, default=None)

    @property
    def edits(self) -> Edits:
        """What-if edits that would make these edges of the proof certain."""
        edges = [link for link in self.needed if link.edge is not None]
        keys = {
            kind: frozenset(
                (link.edge.head, link.edge.relation, link.edge.tail)
                for link in edges
                if link.edge is not None and link.kind == kind
            )
            for kind in ("edge", "negation")
        }
        return Edits(added=keys["edge"], removed=keys["negation"])


def why_not(
    tree: Query, entity: EntityKey, answerer: SymbolicAnswerer, *, edits: Edits | None = None
) -> WhyNot:
    """Return why an entity is no better answer of a query.

    Predicted edges are followed from entities that fulfil what stands before them; from others
    only edges of the graph are. So of several ways with equally much missing one is found.

    Args:
        tree: The query.
        entity: Key of the expected answer.
        answerer: Whose answers they are.
        edits: Edges added or taken away for this call.

    Raises:
        UnsafeQueryError: The answers would be "everything but …".
        UnknownEntityError: The entity, or an anchor, is not in the snapshot.
        UnknownRelationError: A relation is not in the snapshot.

    Example:
        >>> from kg.model import Entity
        >>> from kg.snapshot import build_snapshot
        >>> from reasoning.predictors import NoPredictor
        >>> graph = build_snapshot([Entity(key=EntityKey("a"), label="City", name="A")], [])
        >>> answerer = SymbolicAnswerer(graph, NoPredictor(graph.num_entities))
        >>> why_not(Labelled("Country"), EntityKey("a"), answerer).weakest.text
        'A is a City, not a Country'
    """
    check_safe(tree)
    query = normalise(tree)
    number = answerer.snapshot.entity_id(entity)
    evaluation = answerer.evaluation(edits)
    value = evaluation.value(query)
    truth = float(value.at(np.array([number], dtype=np.int32))[TRUTH, 0])
    bindings: Bindings = FuzzyProver(query, evaluation)
    if truth <= 0.0:
        graph = known_edges(answerer.snapshot, known_probability=0.0, edits=edits)
        bindings = PossibleBindings(query, evaluation, graph)
    proof = proof_of(query, number, bindings)
    if truth <= 0.0:
        truth = proof.score()  # above 0 where pruning left the entity out of the answers
    return WhyNot(
        query=query,
        entity=entity,
        truth=truth,
        better=int(np.count_nonzero(value.values[TRUTH] > truth)),
        proof=proof,
        needed=tuple(link for link in _links(proof.tree, answerer.snapshot) if link.truth < 1.0),
    )


def _links(node: ProofNode, snapshot: Snapshot) -> Iterator[Link]:
    """Yield what a proof rests on, root first; of a union its best branch."""
    match node:
        case ProofAnchor(text=text):
            if text is not None:
                yield Link(kind="fact", text=text, truth=node.truth)
        case ProofFact() | ProofGap():
            yield Link(kind="fact", text=node.text, truth=node.truth)
        case ProofProjection(edge=edge, child=child):
            yield Link(kind="edge", text=_words(edge, snapshot), truth=edge.truth, edge=edge)
            yield from _links(child, snapshot)
        case ProofIntersection(branches=branches):
            for branch in branches:
                yield from _links(branch, snapshot)
        case ProofUnion(branches=branches):
            yield from _links(min(branches, key=_missing), snapshot)
        case ProofNegation(child=child):
            forbidden: ProofEdge | None = None
            if isinstance(child, ProofProjection) and isinstance(child.child, ProofAnchor):
                forbidden = child.edge
            yield Link(kind="negation", text=node.text, truth=truth_of(node), edge=forbidden)
        case _:
            assert_never(node)


def _missing(node: ProofNode) -> tuple[int, float]:
    """Return how many links of a branch have the truth 0, and its lack of truth."""
    match node:
        case ProofProjection(edge=edge, child=child):
            return int(edge.truth == 0.0) + _missing(child)[0], -truth_of(node)
        case ProofIntersection(branches=branches):
            return sum(_missing(branch)[0] for branch in branches), -truth_of(node)
        case ProofUnion(branches=branches):
            return min(_missing(branch)[0] for branch in branches), -truth_of(node)
        case _:
            return int(truth_of(node) == 0.0), -truth_of(node)


def _words(edge: ProofEdge, snapshot: Snapshot) -> str:
    head, tail = (snapshot.names[snapshot.entity_id(key)] for key in (edge.head, edge.tail))
    return f"{head} -[{edge.relation}]-> {tail}"
