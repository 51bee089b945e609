"""How many answers a query has: those that are known, and how many more are to be expected."""

from __future__ import annotations

from dataclasses import dataclass

from reasoning.protocols import Answerer, Edits
from reasoning.query import Query

__all__ = ["Count", "count_answers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The number of answers of a query.

    Attributes:
        known: Answers that are proven on known edges.
        expected_likely: Expected number of answers beside them: the sum of their probabilities,
            whether they depend on each other or not. Answers that pruning left out add nothing.
    """

    known: int
    expected_likely: float


def count_answers(
    answerer: Answerer, tree: Query, num_entities: int, *, edits: Edits | None = None
) -> Count:
    """Count the answers of a query.

    Args:
        answerer: Who answers; its probabilities should be calibrated.
        tree: The query.
        num_entities: Size of the graph.
        edits: Edges to add or take away for this call.

    Raises:
        InputError: As `Answerer.answer`.

    Example:
        >>> from kg.model import Entity, EntityKey
        >>> from kg.snapshot import build_snapshot
        >>> from reasoning.exact import ExactAnswerer
        >>> from reasoning.query import Labelled
        >>> graph = build_snapshot([Entity(key=EntityKey("a"), label="City", name="A")], [])
        >>> count_answers(ExactAnswerer(graph), Labelled("City"), graph.num_entities)
        Count(known=1, expected_likely=0.0)
    """
    [found] = answerer.answer([tree], max(1, num_entities), edits=edits)
    likely = (answer.probability for answer in found.answers if answer.status == "likely")
    return Count(known=found.total_known, expected_likely=float(sum(likely)))
