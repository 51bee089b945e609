"""All edges of a proof, for whoever reads their records in one look-up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from reasoning.proof_tree import (
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

__all__ = ["edges_in"]


def edges_in(node: ProofNode) -> Iterator[ProofEdge]:
    """Iterate the edges of a tree, root first: those of all branches and below negations, too."""
    match node:
        case ProofAnchor() | ProofFact() | ProofGap():
            return
        case ProofProjection(edge=edge, child=child):
            yield edge
            yield from edges_in(child)
        case ProofNegation(child=child):
            yield from edges_in(child)
        case ProofIntersection(branches=branches) | ProofUnion(branches=branches):
            for branch in branches:
                yield from edges_in(branch)
        case _:
            assert_never(node)
