"""Why a predicted edge is believed, as a sentence: the facts, then the rule that they fire."""

from __future__ import annotations

from collections.abc import Callable

from kg.model import EntityKey
from reasoning.protocols import EdgeReason

__all__ = ["reason_text"]


def reason_text(reason: str | EdgeReason, name: Callable[[EntityKey], str]) -> str:
    """Return a reason as a sentence.

    Args:
        reason: A sentence already, or a rule with the edges by which it fires.
        name: Names entities.
    """
    if isinstance(reason, str):
        return reason
    facts = [f"{name(head)} {_words(rel)} {name(tail)}" for head, rel, tail in reason.facts]
    rule = f"{reason.rule}, right in {reason.confidence:.0%}, {reason.support} times"
    return f"{' and '.join(facts)} ({rule})" if facts else f"({rule})"


def _words(relation: str) -> str:
    return relation.replace("_", " ")
