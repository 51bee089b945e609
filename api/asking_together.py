"""Many questions at once: those that can be answered go to the answerer together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from api.asking import check_k, within_limit
from kg.errors import EngineError, InputError
from reasoning.answers import Answer
from reasoning.of_each import OfEach
from reasoning.patterns import Pattern
from reasoning.query import Query
from reasoning.safety import check_safe

if TYPE_CHECKING:
    from api.engine import AnswererName, Engine
    from reasoning.protocols import Answerer

__all__ = ["Outcome", "answer_together"]

Outcome = Sequence[Answer] | EngineError
"""The answers of a question, or why it has none."""


def answer_together(
    engine: Engine,
    questions: Sequence[str | Mapping[str, Any]],
    *,
    k: int,
    answerer: AnswererName,
) -> list[Outcome]:
    """Return for each question what `Engine.ask` would list of it, without proofs.

    Args:
        engine: Opened on the snapshot to ask.
        questions: As `Engine.ask` takes them.
        k: Most answers of each kind.
        answerer: Who answers.

    Raises:
        SettingError: k is out of range.
        MissingPartError: There is no snapshot or no such model.
    """
    check_k(engine, k)
    chosen, _ = engine.answerer(answerer)
    found: dict[int, Outcome] = {}
    asked: dict[int, list[tuple[int, Query]]] = {}
    for place, question in enumerate(questions):
        try:
            tree, most = _read(engine, question, k)
        except EngineError as error:
            found[place] = error
        else:
            asked.setdefault(most, []).append((place, tree))
    for most, alike in asked.items():
        places, trees = zip(*alike, strict=True)
        found.update(zip(places, _answered(chosen, trees, most), strict=True))
    return [found[place] for place in range(len(questions))]


def _read(engine: Engine, question: str | Mapping[str, Any], k: int) -> tuple[Query, int]:
    """Return the tree of a question, and how many answers of each kind it wants."""
    reading = engine.reading(question)
    if isinstance(reading.asked, Pattern):
        raise InputError("it asks for several things at once", hint="ask for one a question")
    if reading.counted:
        raise InputError(
            "it asks for a number, and rows are answers",
            hint="ask for the answers, or ask it alone",
        )
    check_safe(reading.tree)  # every answerer would, of all that it is given
    limit = (reading.limit or None) if isinstance(question, str) else None
    return reading.tree, within_limit(k, limit, 0)


def _answered(answerer: Answerer, trees: Sequence[Query], k: int) -> list[Outcome]:
    """Answer together; where one tree cannot be answered, in halves until it stands alone."""
    try:
        return [found.answers for found in answerer.answer(trees, k, each=OfEach())]
    except EngineError as error:
        if len(trees) == 1:
            return [error]
    half = len(trees) // 2
    return [*_answered(answerer, trees[:half], k), *_answered(answerer, trees[half:], k)]
