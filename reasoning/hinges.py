"""The edge that an answer hangs on: the least sure one of its best proof.

Answers to many queries hang on one edge and come true or not together with it, so it is a unit of
chance beside the query (`evaluation.coverage_band`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg.model import EdgeKey
from reasoning.proof_tree import Proof
from reasoning.query import Query
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.explanation import FuzzyProver

__all__ = ["hinge", "hinges"]


def hinge(proof: Proof) -> EdgeKey | None:
    """Return the edge of lowest truth of a proof, the first of equals; None if all are known.

    An edge that must be absent counts by the probability of its absence.
    """
    unsure = [edge for edge in proof.edges if edge.status != "known"]
    least = min(unsure, key=lambda edge: edge.truth, default=None)
    return None if least is None else (least.head, least.relation, least.tail)


def hinges(
    answerer: SymbolicAnswerer, query: Query, entities: NDArray[np.int64]
) -> tuple[EdgeKey | None, ...]:
    """Return the edge that each of some likely answers hangs on.

    Args:
        answerer: Whose answers they are.
        query: In normal form.
        entities: ``(n,)`` ids of answers with a truth above 0.

    Raises:
        InputError: The truth of one is 0.
    """
    prover = FuzzyProver(query, answerer.evaluation())
    return tuple(hinge(prover.proof(int(entity))) for entity in entities)
