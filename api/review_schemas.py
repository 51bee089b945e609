"""What every door shows of a review: cases, candidates with reasons, decisions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from api.json_numbers import JSON_NUMBER
from api.proof_schemas import Model

__all__ = [
    "CaseCandidateOut",
    "CaseOut",
    "CasesFromJobIn",
    "CasesLoadedOut",
    "CasesOut",
    "DecisionIn",
    "DecisionOut",
    "DecisionsOut",
    "DuplicateOut",
    "DuplicatesIn",
    "DuplicatesOut",
    "ImportedOut",
    "RejectedOut",
    "ReviewFileIn",
]

Kind = Literal["accept", "reject", "other", "new", "merge", "split", "undo"]
Text = Field(default=None, max_length=2_000)


class CaseCandidateOut(Model):
    """An entity that a case may mean, and why."""

    entity: str
    name: str | None = Field(description="null once the entity is gone")
    probability: float
    reasons: dict[str, float] = Field(description="its strongest signals, strongest first")


class CaseOut(Model):
    """Something to decide: a mention, or a pair of entities that may be one."""

    id: str
    doubt: float = Field(description="1 minus the lead of the likeliest outcome, in [0, 1]")
    mention: str | None = Field(default=None, description="its words")
    context: str | None = None
    start: int | None = Field(default=None, description="where the words begin in the context")
    end: int | None = None
    image: str | None = None
    state: str
    entity: str | None = Field(default=None, description="what the linker proposed")
    probability: float
    nil_probability: float
    reason: str | None = None
    candidates: tuple[CaseCandidateOut, ...] = ()
    pair: tuple[CaseCandidateOut, CaseCandidateOut] | None = None


class CasesOut(Model):
    """A page of the open cases, the most useful first."""

    cases: tuple[CaseOut, ...]
    open: int = Field(description="how many wait in all")
    decided: int
    next: str | None = Field(
        default=None, description="cursor, where there are more: send it as `after` for them"
    )


class CasesFromJobIn(Model):
    """Which links are to be reviewed."""

    job: str = Field(max_length=64, description="id of a job that linked mentions")
    states: tuple[Literal["linked", "review", "nil"], ...] = Field(
        default=("review", "nil"), min_length=1, max_length=3
    )


class CasesLoadedOut(Model):
    """How many cases there were not before."""

    new_cases: int


class DecisionIn(Model):
    """A decision to make; which fields it needs depends on its kind."""

    kind: Kind
    who: str = Field(min_length=1, max_length=200)
    case: str | None = Field(default=None, max_length=64)
    entity: str | None = Field(
        default=None, max_length=2_000, description="key, or a name that only one entity has"
    )
    keys: tuple[str, ...] = Field(default=(), max_length=100, description="merged into entity")
    key: str | None = Field(default=None, max_length=2_000, description="of the entity to make")
    name: str | None = Text
    label: str | None = Text
    aliases: tuple[str, ...] = Field(default=(), max_length=1_000)
    edges: tuple[tuple[str, str, str], ...] = Field(default=(), max_length=10_000)
    undoes: Annotated[int | None, JSON_NUMBER] = Field(
        default=None, ge=1, description="number; the last if not given"
    )
    comment: str | None = Text
    id: str = Field(default="", max_length=200, description="the same id is the same decision")


class DecisionOut(Model):
    """A decision as the log holds it."""

    number: int
    id: str
    kind: Kind
    who: str
    at: str
    case: str | None
    mention: str | None = Field(default=None, description="words that were decided")
    entity: str | None = None
    state: Literal["pending", "done", "refused", "undone"]
    reason: str | None = None
    comment: str | None = None
    details: dict[str, Any] = Field(default_factory=dict, description="all else that was asked")


class DecisionsOut(Model):
    """A page of the log of decisions, in its order."""

    decisions: tuple[DecisionOut, ...]
    next: int | None = Field(
        default=None, description="where there are more: send it as `after` for them"
    )


class DuplicatesIn(Model):
    """Which pairs become cases."""

    label: str | None = Field(default=None, max_length=200)
    least: Annotated[float, JSON_NUMBER] = Field(
        default=0.5, ge=0, le=1, description="least probability; not calibrated"
    )
    limit: Annotated[int, JSON_NUMBER] = Field(default=100, ge=1, le=1_000)
    after: str | None = Field(
        default=None, max_length=30_000, description="the `next` of the page before"
    )


class DuplicateOut(Model):
    """Two entities that may be one."""

    case: str = Field(description="id of the case, once it is one")
    stays: str
    stays_name: str | None
    goes: str
    goes_name: str | None
    probability: float = Field(
        description="that they are one; not calibrated where weights were set by hand"
    )
    reasons: dict[str, float] = Field(description="signs and their weights in log2 odds")


class DuplicatesOut(Model):
    """A page of the pairs of entities that may be one, the likeliest first."""

    pairs: tuple[DuplicateOut, ...]
    found: int = Field(description="how many there are in all")
    next: str | None = Field(
        default=None, description="cursor, where there are more: send it as `after` for them"
    )
    new_cases: int = Field(description="how many became cases; 0 in a dry run")
    learnt_from: int = Field(
        default=0, description="decisions that taught the weights; 0: they were set by hand"
    )


class ReviewFileIn(Model):
    """A file of decisions that were made in another tool."""

    format: Literal["label-studio", "sssom"]
    who: str = Field(min_length=1, max_length=200, description="where the file does not say")
    content: str | tuple[dict[str, Any], ...] = Field(
        description="the file's text; of Label Studio also its list of tasks as it is"
    )


class RejectedOut(Model):
    """A row that made no decision."""

    line: int
    reason: str


class ImportedOut(Model):
    """What became of a file of decisions."""

    made: int
    held_already: int = Field(description="decisions that hold already")
    rejects: tuple[RejectedOut, ...]
