"""How often likely answers are right: the ten best of each held-out (head, relation)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.asking import k_of_each
from api.steps.held_out_edges import HeldOut
from evaluation import ece, reliability
from kg.snapshot import Snapshot
from reasoning.protocols import Answerer
from reasoning.query import Anchor, Projection

__all__ = ["likely_calibration"]

BEST = 10


def likely_calibration(
    full: Snapshot, kept: Snapshot, held: Sequence[HeldOut], answerer: Answerer
) -> dict[str, Any] | None:
    """Return ECE and a reliability table of the likely tails of each held-out (head, relation).

    Args:
        full: The full graph; it says what is right.
        kept: The evaluation snapshot that the answerer runs on.
        held: The held-out edges.
        answerer: Whose probabilities are judged.

    Returns:
        ``n``, ``base_rate``, ``ece`` and ``bins`` (confidence, accuracy, n); None where there is
        no likely answer to judge.
    """
    probabilities: list[float] = []
    right: list[bool] = []
    for one in held:
        relation = full.relation_id(one.relation)
        for head in sorted(set(one.heads.tolist())):
            tree = Projection(one.relation, Anchor(kept.entities.name(head)))
            for answer in k_of_each(answerer, tree, BEST, with_proofs=False).answers:
                if answer.status == "likely":
                    probabilities.append(answer.probability)
                    tail = full.entity_id(answer.entity)
                    right.append(full.has_edge(head, relation, tail))
    if not right:
        return None
    bins = reliability(probabilities, right)
    return {
        "n": len(right),
        "base_rate": sum(right) / len(right),
        "ece": ece(probabilities, right),
        "bins": [
            {"confidence": b.mean_probability, "accuracy": b.share_true, "n": b.count} for b in bins
        ],
    }
