"""What every door shows of suggestions: what to ask next, and how many results that has."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.proof_schemas import Model

__all__ = ["QuerySuggestionOut", "QuerySuggestionsOut"]


class QuerySuggestionOut(Model):
    """A question that differs in one thing from what was asked."""

    text: str = Field(description="what changes, such as “that borders Austria”")
    change: Literal["narrow", "widen", "drop"] = Field(
        description="narrow: one fact more; widen or drop: one branch wider or left out, where the "
        "question has no answer"
    )
    results: int = Field(ge=1, description="how many known results it leads to")
    query: dict[str, Any] = Field(
        description="of a question: the tree to ask next; of a search: what to send as `within`"
    )
    examples: tuple[str, ...] = Field(description="names of the first results")
    specificity: float = Field(
        description="share of all that the fact holds for that is among the results; 1 of widen "
        "and drop"
    )
    closeness: float = Field(description="share of the new question that was asked already")


class QuerySuggestionsOut(Model):
    """Suggestions, the most telling first; no two lead to nearly the same results."""

    text: str | None = Field(default=None, description="what was searched, if it was a search")
    total: int = Field(description="known results that the suggestions part")
    suggestions: tuple[QuerySuggestionOut, ...]
    warnings: tuple[str, ...] = ()
