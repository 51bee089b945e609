"""What leaves a review for other tools, and what comes back: decisions told elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kg.model import EntityKey
from linkers.review.model import Case, Decision, Request
from linkers.review.review import Review

__all__ = ["Names", "Told", "exported", "take_told"]

Names = Callable[[EntityKey], str | None]
"""The name of an entity; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A decision that was made elsewhere.

    Attributes:
        request: What was decided, by whom.
        case: The case that it decides, for a review that does not know it yet.
        at: When, if that is known.
        line: Where in the file, from 1.
    """

    request: Request
    case: Case | None = None
    at: str | None = None
    line: int = 0


def exported(review: Review) -> list[tuple[Case, Decision | None]]:
    """Return every case with the decision that holds for it: open ones first, most useful first."""
    answers = review.answers
    done = [(case, answers[case.id]) for case in review.known if case.id in answers]
    return [*((case, None) for case in review.cases()), *done]


def take_told(review: Review, told: Told) -> bool:
    """Make a decision that was made elsewhere.

    Returns:
        False if it holds already.

    Raises:
        EngineError: As `Review.decide`; the case was decided otherwise, or does not fit the graph.
    """
    request = told.request
    if told.case is not None and review.found(told.case.id) is None:
        review.add([told.case])
    if request.kind == "merge" and all(
        review.kept(key) == review.kept(request.entity) for key in request.keys
    ):
        return False
    holds = review.answers.get(request.case or "")
    if holds is not None and _meant(review, holds.request) == _meant(review, request):
        return False  # a pair that was merged is gone above
    before = len(review.decisions)
    review.decide(request, at=told.at)
    return len(review.decisions) > before


def _meant(review: Review, request: Request) -> EntityKey | None:
    found = {"new": request.key, "reject": None}
    return review.kept(found.get(request.kind, request.entity))
