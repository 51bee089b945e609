"""A context for a language model: evidence for a text, the best lines first, within a budget.

Lines come from the entities that the search finds and, where the text is a question that the rules
read, from its answers, known and likely. A line's worth is that of its entity, 1 / (1 + place),
times one plus the share of the text's words that stand in the line; the best go in while they fit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from api.retrieval.evidence import evidence_of, tokens_of
from api.retrieval.schemas import ContextOut, EvidenceKind, EvidenceOut
from kg.errors import InputError, MissingPartError
from kg.model import EntityKey
from kg.words import words
from reasoning.plain.function_words import EMPTY_WORDS

if TYPE_CHECKING:
    from api.engine import Engine
    from api.schemas import AnswersOut

__all__ = ["MAX_BUDGET", "context_for", "line_of"]

MAX_BUDGET = 100_000
"""Tokens of a context."""
ANSWERS = 20
"""Answers of each status that may go in."""
ANSWER_WORTH = 3.0
"""What an answer counts beside a line about the first hit."""


def context_for(
    engine: Engine,
    text: str,
    *,
    budget: int = 2_000,
    k: int = 10,
    labels: Collection[str] = (),
    kinds: Collection[EvidenceKind] = (),
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

    Raises:
        InputError: The text is empty or too long, or the budget out of range.
    """
    if not 1 <= budget <= MAX_BUDGET:
        raise InputError(f"a budget is 1 to {MAX_BUDGET} tokens", where="budget")
    found = engine.search(text, k=k, labels=labels)
    ranked = [*_answers(engine, text)] if not kinds or "answer" in kinds else []
    wanted = {word.text for word in words(text)} - EMPTY_WORDS
    for place, hit in enumerate(found.hits):
        entity = engine.store.entity(EntityKey(hit.key))
        if entity is not None:
            ranked += (
                (_worth(one, wanted) / (1 + place), one)
                for one in evidence_of(engine, entity)
                if not kinds or one.kind in kinds
            )
    ranked.sort(key=lambda row: (-row[0], row[1].key))
    kept, left = list[EvidenceOut](), budget
    seen: set[str] = set()
    for _, one in ranked:
        cost = tokens_of(line_of(one) + "\n")
        if cost <= left and one.key not in seen:
            seen.add(one.key)
            kept.append(one.model_copy(update={"tokens": cost}))
            left -= cost
    return ContextOut(
        query=text,
        budget=budget,
        tokens=budget - left,
        text="".join(f"{line_of(one)}\n" for one in kept),
        evidence=tuple(kept),
        left_out=len({one.key for _, one in ranked}) - len(kept),
        warnings=found.warnings,
    )


def line_of(one: EvidenceOut) -> str:
    """Return a piece of evidence as a line: text, status, source and the key to cite it by."""
    sure = "known" if one.status == "known" else f"likely {one.probability:.2f}"
    text = " ".join(one.text.split())
    return f"- {text} [{sure}; {one.source}; {one.key}]"


def _worth(one: EvidenceOut, wanted: Collection[str]) -> float:
    held = {word.text for word in words(one.text)} & set(wanted)
    return (1 + len(held) / max(1, len(wanted))) * (1.5 if one.kind == "entity" else 1.0)


def _answers(engine: Engine, text: str) -> Iterator[tuple[float, EvidenceOut]]:
    """Iterate the answers of a text that is a question which the rules read."""
    try:
        answers: AnswersOut = engine.ask(engine.plain(text).tree, k=ANSWERS, proofs=False)
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
