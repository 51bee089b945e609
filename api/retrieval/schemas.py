"""What every door shows of a context: lines of evidence, each with its source and status."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.proof_schemas import Model
from kg.text_units import Granularity

__all__ = ["ContextOut", "EvidenceKind", "EvidenceOut"]

EvidenceKind = Literal["answer", "entity", "passage", "fact", "image", "part"]


class EvidenceOut(Model):
    """A line that a model may read and cite by its key."""

    key: str = Field(description="stable while its source is in the graph")
    kind: EvidenceKind
    entity: str = Field(
        description="key of the entity that it is about; a part belongs to its whole"
    )
    text: str
    source: str = Field(description="where it was read, seen or linked, or which model predicts it")
    status: Literal["known", "likely"]
    probability: float
    place: str | None = Field(
        default=None, description="of a passage: the attribute that says it, and which characters"
    )
    image: str | None = Field(default=None, description="SHA-256 of the picture it is seen on")
    box: tuple[float, float, float, float] | None = None
    links: tuple[str, ...] = Field(default=(), description="keys of the entities it leads to")
    tokens: int = Field(default=0, description="what the line costs, by the estimate used here")


class ContextOut(Model):
    """Evidence for a text, best first, within a budget."""

    query: str
    budget: int
    granularity: Granularity = Field(description="how fine prose was cut")
    tokens: int
    text: str = Field(description="all lines as one text, each with its key, source and status")
    evidence: tuple[EvidenceOut, ...]
    left_out: int = Field(description="lines that were found and did not fit")
    warnings: tuple[str, ...] = ()
