"""What an interpreter returns: ranked answers, each known or likely, with its proof.

Reasoning speaks in keys and probabilities; `api.engine` adds the provenance records of the edges
that a proof names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kg.model import EntityKey
from reasoning.proof_tree import Proof, ProofEdge
from reasoning.query import Query

__all__ = ["Answer", "Answers", "Proof", "ProofEdge", "Region", "Status", "order_answers"]

Status = Literal["known", "likely"]
Region = Literal["core", "rim"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer.

    Attributes:
        entity: Its key.
        score: Higher is better; comparable only within one interpreter and query.
        probability: Calibrated, in [0, 1].
        status: `known` if the exact evaluator proves it on known edges, else `likely`.
        region: For a rough cone, whether it lies in the core or in the rim.
        lower: Truth by known edges only (rough truth), in [0, 1].
        upper: Truth with predicted edges, in [lower, 1].
        proof: Present if it was asked for.
    """

    entity: EntityKey
    score: float
    probability: float
    status: Status
    region: Region | None = None
    lower: float = 0.0
    upper: float = 1.0
    proof: Proof | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers of one query, best first.

    Attributes:
        query: As it was answered (normal form).
        answers: Known ones first, each group by falling probability, then score, then key.
        total_known: How many known answers there are, also those beyond k.
        bound: No entity left out scores above this; None where the top k is exact.
        more: Whether there are answers after these.
    """

    query: Query
    answers: tuple[Answer, ...]
    total_known: int
    bound: float | None = None
    more: bool = False


def order_answers(answers: list[Answer]) -> tuple[Answer, ...]:
    """Return answers in the one order that every door of Umbra shows."""
    return tuple(
        sorted(answers, key=lambda a: (a.status != "known", -a.probability, -a.score, a.entity))
    )
