"""A proof tree as plain values, ready to be shown: named entities, numbered variables, one shape.

`show` makes it. Renderers take anything of that shape (`NodeView`), so that a tree to which
another layer has added provenance records is drawn by the same code. As JSON the fields keep their
names; that schema is stable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any, Literal, Protocol, assert_never

from kg.model import EntityKey
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
    truth_of,
)

__all__ = [
    "EdgeView",
    "NodeKind",
    "NodeView",
    "ShownEdge",
    "ShownNode",
    "proof_json",
    "show",
]

NodeKind = Literal["anchor", "fact", "gap", "projection", "intersection", "union", "negation"]

Name = Callable[[EntityKey], str]
"""From the key of an entity to its name."""


class EdgeView(Protocol):
    """An edge of a proof as renderers read it."""

    @property
    def head_name(self) -> str:
        """Name of the head."""
        ...

    @property
    def relation(self) -> str:
        """Relation."""
        ...

    @property
    def tail_name(self) -> str:
        """Name of the tail."""
        ...

    @property
    def status(self) -> EdgeStatus:
        """Known, predicted or absent."""
        ...

    @property
    def probability(self) -> float:
        """Of the edge."""
        ...


class NodeView(Protocol):
    """A node of a proof as renderers read it."""

    @property
    def kind(self) -> NodeKind:
        """What the query asks here."""
        ...

    @property
    def name(self) -> str:
        """Name of the entity that holds the node."""
        ...

    @property
    def truth(self) -> float:
        """Truth of the node, in [0, 1]."""
        ...

    @property
    def text(self) -> str | None:
        """Plain sentence for what is no edge."""
        ...

    @property
    def edge(self) -> EdgeView | None:
        """The edge of a projection."""
        ...

    @property
    def branches(self) -> Sequence[NodeView]:
        """Nodes below."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEdge:
    """An edge of a proof with the names of its ends; see `ProofEdge`."""

    head: EntityKey
    head_name: str
    relation: str
    tail: EntityKey
    tail_name: str
    status: EdgeStatus
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownNode:
    """A node of a proof; `ProofNode` as one class.

    Attributes:
        kind: Which kind of query node it stands for; a gap is one that nothing fulfils.
        variable: Number of the variable that takes the entity: 0 the answer, then the inner ones
            from the root down; None for an entity that the query gives.
        entity: Key of the entity.
        name: Its name.
        truth: Computed from what stands below.
        text: Sentence for a fact, gap, negation or candidate.
        edge: The edge of a projection.
        branches: Nodes below; below a negation the strongest case for what must not hold.
    """

    kind: NodeKind
    variable: int | None
    entity: EntityKey
    name: str
    truth: float
    text: str | None = None
    edge: ShownEdge | None = None
    branches: tuple[ShownNode, ...] = ()


def show(proof: Proof, name: Name) -> ShownNode:
    """Return a proof with the names of its entities.

    Args:
        proof: The proof of an answer.
        name: Names entities.

    Example:
        >>> from reasoning.proof_tree import ProofAnchor
        >>> show(Proof(tree=ProofAnchor(entity=EntityKey("a"))), str.upper).name
        'A'
    """
    numbers = count(1)

    def shown(node: ProofNode, variable: int | None) -> ShownNode:
        return ShownNode(
            kind=_kind(node),
            variable=variable,
            entity=node.entity,
            name=name(node.entity),
            truth=truth_of(node),
            text=_text(node),
            edge=_edge(node.edge, name) if isinstance(node, ProofProjection) else None,
            branches=tuple(shown(*below) for below in _below(node, variable)),
        )

    def _below(node: ProofNode, variable: int | None) -> list[tuple[ProofNode, int | None]]:
        match node:
            case ProofAnchor() | ProofFact() | ProofGap():
                return []
            case ProofProjection(child=ProofAnchor() as child):
                return [(child, None)]
            case ProofProjection(child=child):
                return [(child, next(numbers))]
            case ProofNegation(child=child):
                return [(child, variable)]
            case ProofIntersection(branches=branches) | ProofUnion(branches=branches):
                return [(branch, variable) for branch in branches]
            case _:
                assert_never(node)

    return shown(proof.tree, 0)


def proof_json(proof: Proof, name: Name) -> dict[str, Any]:
    """Return a proof as JSON values: the fields of `ShownNode`, nested."""
    return asdict(show(proof, name))


def _text(node: ProofNode) -> str | None:
    """Return the sentence of a node; without its power nobody could compute a negation again."""
    if isinstance(node, ProofNegation) and node.power != 1.0 and truth_of(node.child) > 0.0:
        return f"{node.text} (1 − what is below, to the power of {node.power:g})"
    return getattr(node, "text", None)


def _edge(edge: ProofEdge, name: Name) -> ShownEdge:
    return ShownEdge(
        head=edge.head,
        head_name=name(edge.head),
        relation=edge.relation,
        tail=edge.tail,
        tail_name=name(edge.tail),
        status=edge.status,
        probability=edge.probability,
    )


def _kind(node: ProofNode) -> NodeKind:
    match node:
        case ProofAnchor():
            return "anchor"
        case ProofFact():
            return "fact"
        case ProofGap():
            return "gap"
        case ProofProjection():
            return "projection"
        case ProofIntersection():
            return "intersection"
        case ProofUnion():
            return "union"
        case ProofNegation():
            return "negation"
        case _:
            assert_never(node)
