"""A context for a language model: evidence for a text, the best lines first, within a budget.

Lines come from the entities that the search finds and, where the text is a question that the rules
read, from its answers, known and likely; the best go in while they fit (`api.retrieval.lines`). How
fine prose is cut, the caller says, or the text decides (`api.search.granularity`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from api.retrieval.lines import Line, line_of, lines_about, packed, ranked, room_of
from api.retrieval.schemas import ContextOut, EvidenceKind, EvidenceOut
from api.search.granularity import DEFAULT, Chosen, granularity_for
from api.search.hybrid import MAX_HITS
from kg.errors import InputError, MissingPartError

if TYPE_CHECKING:
    from api.engine import Engine
    from api.schemas import AnswersOut

__all__ = ["MAX_BUDGET", "context_for"]

MAX_BUDGET = 100_000
"""Tokens of a context."""
ANSWERS = 20
"""Answers of each status that may go in."""
ANSWER_WORTH = 12.0
"""What an answer counts beside a line about the first hit."""


def context_for(
    engine: Engine,
    text: str,
    *,
    budget: int = 2_000,
    k: int = 10,
    labels: Collection[str] = (),
    kinds: Collection[EvidenceKind] = (),
    granularity: Chosen = DEFAULT,
) -> ContextOut:
    """Return evidence for a text.

    Args:
        engine: The graph.
        text: A question or what else is to be written about.
        budget: Most tokens of all lines together, by the estimate of `tokens_of`.
        k: Entities whose evidence is looked at.
        labels: Only entities of these.
        kinds: Only evidence of these: how fine it is (a whole entity, a passage of its prose, one
            fact, a picture, a part of one); all if empty. Others use nothing of the budget.
        granularity: How fine prose is cut: by ``sentence``, by ``passage`` (sentences that follow
            each other, up to a third of the budget), or by ``page`` (a whole text that fits the
            budget, else passages); ``auto`` leaves it to the text.

    Raises:
        InputError: The text is empty or too long, or the budget out of range.
    """
    if not 1 <= budget <= MAX_BUDGET:
        raise InputError(f"a budget is 1 to {MAX_BUDGET} tokens", where="budget")
    if not 1 <= k <= MAX_HITS:
        raise InputError(f"k is 1 to {MAX_HITS}", where="k")
    found = engine.search.ranked(text, labels=labels)
    fine = granularity_for(text, granularity)
    room = room_of(budget)
    keys = [key for key, _ in found.best[:k]]
    held = engine.records()
    held.read(keys)
    about = [lines_about(engine, key, fine, room=room, held=held) for key in keys]
    rows = [row for row in ranked(about, text) if not kinds or row[1].evidence.kind in kinds]
    if not kinds or "answer" in kinds:
        rows += ((worth, Line.of(one)) for worth, one in _answers(engine, text))
    kept = packed(rows, budget)
    return ContextOut(
        query=text,
        budget=budget,
        granularity=fine,
        tokens=sum(one.tokens for one in kept),
        text="".join(f"{line_of(one)}\n" for one in kept),
        evidence=tuple(kept),
        left_out=len({line.evidence.key for _, line in rows}) - len(kept),
        warnings=found.warnings,
    )


def _answers(engine: Engine, text: str) -> Iterator[tuple[float, EvidenceOut]]:
    """Iterate the answers of a text that is a question which the rules read."""
    try:
        answers: AnswersOut = engine.ask(engine.plain(text).tree, k=ANSWERS)
    except (InputError, MissingPartError):  # no question, or nothing to answer it with
        return
    for place, one in enumerate(answers.answers):
        weakest = one.weakest
        source = f"predicted by {answers.answerer}"
        if weakest is not None:
            source = f"{weakest.kind} {weakest.source}"
        yield (
            ANSWER_WORTH / (1 + 0.1 * place),
            EvidenceOut(
                key=f"answer/{one.key}",
                kind="answer",
                entity=one.key,
                text=f"{one.name} ({one.label}) answers the question",
                source=source,
                status=one.status,
                probability=one.probability,
                links=(one.key,),
            ),
        )
