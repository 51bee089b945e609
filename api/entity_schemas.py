"""What every door shows of the list of entities."""

from __future__ import annotations

from pydantic import Field

from api.proof_schemas import Model

__all__ = ["EntitiesOut", "ListedEntityOut"]


class ListedEntityOut(Model):
    """An entity as the list names it."""

    key: str
    label: str
    name: str


class EntitiesOut(Model):
    """A page of the graph's entities, ascending by key."""

    entities: tuple[ListedEntityOut, ...]
    snapshot: str = Field(description="hash of the snapshot that was read")
    next: str | None = Field(default=None, description="cursor: send it as `after` for more")
