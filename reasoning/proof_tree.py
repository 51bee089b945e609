"""The proof of one answer as a tree: the query's own structure with every variable bound.

Each kind of query node has its counterpart here, held by one entity. The truth of a tree follows
from the truths of its edges by the operators of symbolic answering (QTO, arXiv 2212.09567): an edge
multiplies, "and" is the product, "or" is 1 − Π(1 − x), "not" is 1 − x (to a power, 1 unless it is
set). So an answer's score can be computed again from its proof and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Literal, assert_never

from kg.model import EntityKey

__all__ = [
    "EdgeStatus",
    "Proof",
    "ProofAnchor",
    "ProofEdge",
    "ProofFact",
    "ProofGap",
    "ProofIntersection",
    "ProofNegation",
    "ProofNode",
    "ProofProjection",
    "ProofUnion",
    "truth_of",
]

EdgeStatus = Literal["known", "predicted", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofEdge:
    """One edge of a proof.

    Attributes:
        head: Key of the head.
        relation: Relation.
        tail: Key of the tail.
        status: `known` if the graph holds it with at least the known probability; `predicted`
            if it needs the link predictor or a weaker edge; `absent` for an edge that is not
            there: in `Proof.edges` one that a negated branch requires not to exist.
        probability: Of the edge: the best of its records, or the predictor's. In `Proof.edges`
            that of an absent edge is the probability of its absence.
    """

    head: EntityKey
    relation: str
    tail: EntityKey
    status: EdgeStatus
    probability: float

    @property
    def truth(self) -> float:
        """What the edge counts for: 1 if it is known, else its probability."""
        return 1.0 if self.status == "known" else self.probability


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofAnchor:
    """The entity is one that the query gives.

    Attributes:
        entity: Its key.
        truth: 1; for a candidate of a soft anchor its membership.
        probability: The membership, also where the exact evaluator counts it as 1.
        text: A sentence for a candidate of a soft anchor; nothing needs saying of a plain anchor.
    """

    entity: EntityKey
    truth: float = 1.0
    probability: float = 1.0
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofFact:
    """A label or an attribute of the entity is as the query wants it.

    Attributes:
        entity: Key of the entity.
        text: The plain sentence.
        truth: 1, or 0 in an explanation of why an entity is no answer.
    """

    entity: EntityKey
    text: str
    truth: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofGap:
    """Nothing makes the entity fulfil a part of the query.

    It stands for an idle branch of a union, and for what a negation forbids.

    Attributes:
        entity: Key of the entity.
        text: The part of the query in words.
        truth: 0.
    """

    entity: EntityKey
    text: str
    truth: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofProjection:
    """An edge leads to the entity from one that fulfils the rest.

    Attributes:
        entity: Key of the entity that the edge leads to.
        edge: The edge; its other end is the entity of `child`.
        child: Why the other end fulfils the rest: the best binding of that variable.
    """

    entity: EntityKey
    edge: ProofEdge
    child: ProofNode


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofIntersection:
    """The entity fulfils all branches."""

    entity: EntityKey
    branches: tuple[ProofNode, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofUnion:
    """The entity fulfils some branches; all are kept, since all count: 1 − Π(1 − x)."""

    entity: EntityKey
    branches: tuple[ProofNode, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofNegation:
    """The entity does not fulfil something.

    Attributes:
        entity: Key of the entity.
        text: What must not hold, as a plain sentence that denies it.
        child: The strongest case for what must not hold; its truth is what the negation costs.
        power: The truth is (1 − truth of the child) to this power (`SymbolicConfig`).
    """

    entity: EntityKey
    text: str
    child: ProofNode
    power: float = 1.0


ProofNode = (
    ProofAnchor
    | ProofFact
    | ProofGap
    | ProofProjection
    | ProofIntersection
    | ProofUnion
    | ProofNegation
)


def truth_of(node: ProofNode) -> float:
    """Return the truth of a node, computed from the edges below it by the operators' formulas.

    Example:
        >>> edge = ProofEdge(head="b", relation="r", tail="a", status="predicted", probability=0.5)
        >>> step = ProofProjection(entity="a", edge=edge, child=ProofAnchor(entity="b"))
        >>> truth_of(step), truth_of(ProofUnion(entity="a", branches=(step, step)))
        (0.5, 0.75)
    """
    match node:
        case ProofAnchor() | ProofFact() | ProofGap():
            return node.truth
        case ProofProjection(edge=edge, child=child):
            return truth_of(child) * edge.truth
        case ProofIntersection(branches=branches):
            # what holds first, then what must not: the order in which sets are intersected, so
            # that not even rounding differs
            positive = [truth_of(b) for b in branches if not isinstance(b, ProofNegation)]
            negative = [truth_of(b) for b in branches if isinstance(b, ProofNegation)]
            return prod([*positive, *negative])
        case ProofUnion(branches=branches):
            return 1.0 - prod(1.0 - truth_of(branch) for branch in branches)
        case ProofNegation(child=child, power=power):
            absence = 1.0 - truth_of(child)
            return absence if power == 1.0 else absence**power
        case _:
            assert_never(node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Why an entity is an answer.

    Attributes:
        tree: The whole proof, root first.
    """

    tree: ProofNode

    def score(self) -> float:
        """Return the truth of the tree, which is the score of a symbolic or exact answer."""
        return truth_of(self.tree)

    @property
    def edges(self) -> tuple[ProofEdge, ...]:
        """The edges that the answer rests on, root first; of a union those of its best branch.

        A negated branch that is a single edge stands here as an `absent` one with the probability
        of its absence; any other is a sentence of `facts`.
        """
        return tuple(part for part in _flat(self.tree) if isinstance(part, ProofEdge))

    @property
    def facts(self) -> tuple[str, ...]:
        """Plain sentences for what is no edge: labels, comparisons, what must not hold."""
        return tuple(part for part in _flat(self.tree) if isinstance(part, str))

    @property
    def probability(self) -> float:
        """Product of the probabilities of all that `edges` and `facts` say."""
        return prod(_chances(self.tree))


def _flat(node: ProofNode) -> Iterator[ProofEdge | str]:
    match node:
        case ProofAnchor(text=text):
            if text is not None:
                yield text
        case ProofFact(text=text):
            yield text
        case ProofGap():
            return
        case ProofProjection(edge=edge, child=child):
            yield edge
            yield from _flat(child)
        case ProofIntersection(branches=branches):
            for branch in branches:
                yield from _flat(branch)
        case ProofUnion(branches=branches):
            yield from _flat(_best(branches))
        case ProofNegation():
            yield _denied(node)
        case _:
            assert_never(node)


def _best(branches: tuple[ProofNode, ...]) -> ProofNode:
    return max(branches, key=lambda branch: (truth_of(branch), prod(_chances(branch))))


def _denied(node: ProofNegation) -> ProofEdge | str:
    absence = truth_of(node)
    match node.child:
        case ProofProjection(edge=edge, child=ProofAnchor()):
            return ProofEdge(
                head=edge.head,
                relation=edge.relation,
                tail=edge.tail,
                status="absent",
                probability=absence,
            )
        case _:
            return node.text if absence == 1.0 else f"{node.text} (probability {absence:.2f})"


def _chances(node: ProofNode) -> Iterator[float]:
    match node:
        case ProofAnchor(probability=probability):
            yield probability
        case ProofFact() | ProofGap():
            yield node.truth
        case ProofProjection(edge=edge, child=child):
            yield edge.probability
            yield from _chances(child)
        case ProofIntersection(branches=branches):
            for branch in branches:
                yield from _chances(branch)
        case ProofUnion(branches=branches):
            yield from _chances(_best(branches))
        case ProofNegation():
            yield truth_of(node)
        case _:
            assert_never(node)
