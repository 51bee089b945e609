"""What every door shows of a question in plain language: the query that it was read as."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.proof_schemas import Model

__all__ = ["HeardOut", "PlainIn", "PlainOut", "Reader"]

Reader = Literal["rules", "endpoint", "directory"]
"""Who reads a question."""


class PlainIn(Model):
    """A question in plain language."""

    question: str = Field(min_length=1, max_length=1_000)
    by: Reader = Field(
        default="rules", description="rules, or the model that the operator's settings name"
    )


class HeardOut(Model):
    """Words of the question and the relation that they were taken for."""

    words: str
    relation: str
    how: Literal["name", "likeness", "labels"] = Field(
        description="by its name, by the likeness of their vectors, or because hardly another joins"
        " these labels"
    )
    score: float
    start: int = Field(description="first character in the question, from 0")
    end: int


class PlainOut(Model):
    """A question as it was read. Nothing has been asked yet: send `query` to ask it."""

    question: str
    by: Reader
    query: str = Field(description="the question in the Cypher fragment, to be seen and then asked")
    tree: dict[str, Any] = Field(description="the same as JSON")
    structure: str | None = Field(description="the field's name of its shape, where it has one")
    heard: tuple[HeardOut, ...] = ()
    warnings: tuple[str, ...] = ()
