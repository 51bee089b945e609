"""What every door shows of people's verdicts on single edges."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.proof_schemas import Model

__all__ = ["FactIn", "FactOut", "FactsOut"]

Verdict = Literal["accept", "reject", "undo"]


Name = Annotated[str, Field(min_length=1, max_length=2_000)]
EdgeIn = tuple[Name, Name, Name]
EdgeKeyOut = Annotated[tuple[str, ...], Field(min_length=3, max_length=3)]
"""Head, relation, tail; as one kind of item, since checkers of answers read no others."""


class FactIn(Model):
    """A verdict on an edge; entities by key, or by a name that only one has."""

    head: str = Field(min_length=1, max_length=2_000)
    relation: str = Field(min_length=1, max_length=1_000)
    tail: str = Field(min_length=1, max_length=2_000)
    verdict: Verdict
    who: str = Field(min_length=1, max_length=200)
    comment: str | None = Field(default=None, max_length=2_000)
    because: tuple[EdgeIn, ...] | None = Field(
        default=None,
        max_length=100,
        description="known edges that it rests on, as its proof names them: an undo of one of them "
        "(`/v1/undo`) takes the accepted edge back, too. Not given: the edges by which the model's "
        "strongest rule for it fires, or the sources it was linked or seen in; empty: nothing",
    )


class FactOut(Model):
    """An edge and the last verdict on it."""

    head: str
    head_name: str
    relation: str
    tail: str
    tail_name: str
    verdict: Verdict = Field(description="undo: the earlier verdict was taken back")
    who: str
    at: str
    comment: str | None = None
    because: tuple[EdgeKeyOut, ...] = Field(
        default=(), description="edges that it rests on, by keys"
    )
    rests_on: tuple[str, ...] = Field(
        default=(), description="all that it rests on, as records name it: edges and sources"
    )
    gone: tuple[str, ...] = Field(
        default=(), description="what went with it, and what each of these rested on"
    )
    brought_back_by: str | None = Field(
        default=None,
        description="file below the working folder that `umbra build` brings that back from",
    )


class FactsOut(Model):
    """A page of the verdicts that hold, the latest first."""

    facts: tuple[FactOut, ...]
    next: int | None = Field(
        default=None, description="where there are more: send it as `after` for them"
    )
