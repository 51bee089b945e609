"""What every door shows of a linked text: its mentions, each with its link and candidates."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.proof_schemas import Model

__all__ = ["CandidateOut", "TextIn", "TextLinkOut", "TextLinksOut"]

MAX_REQUEST = 20_000
"""Characters of a text in one request; a longer one is a file for the command line."""


class TextIn(Model):
    """A plain text whose mentions are to be found and linked."""

    text: str = Field(max_length=MAX_REQUEST)
    name: str = Field(default="text", min_length=1, max_length=200, description="of the text")


class CandidateOut(Model):
    """An entity that a mention may mean."""

    entity: str
    name: str
    probability: float
    signals: dict[str, float] = Field(default_factory=dict, description="what it rests on")


class TextLinkOut(Model):
    """A mention of a text and its link; a line of the output file."""

    id: str
    start: int = Field(description="first character in the text, from 0")
    end: int = Field(description="one past the last")
    surface: str
    finder: Literal["gazetteer", "classifier"]
    state: Literal["linked", "nil", "review", "failed", "pending"]
    entity: str | None
    name: str | None = Field(description="of the entity")
    probability: float
    nil_probability: float
    reason: str | None = None
    context: str = Field(description="the text around it that was read")
    context_start: int = Field(description="where that begins in the text")
    candidates: tuple[CandidateOut, ...] = ()


class TextLinksOut(Model):
    """The mentions of a text, in its order; none overlaps another."""

    text: str = Field(description="name of the text")
    characters: int
    mentions: tuple[TextLinkOut, ...]
