"""What every door shows of a search: hits, where they stood in which list, and the words found."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.proof_schemas import ImageOut, Model
from kg.text_units import Granularity

__all__ = ["HighlightOut", "HitOut", "SearchOut"]

FieldName = Literal["names", "prose", "picture", "facts"]
ListName = Literal["names", "prose", "picture", "facts", "meaning", "neighbours", "words"]


class HighlightOut(Model):
    """A text in which words of the query stand."""

    field: FieldName = Field(
        description="names, text attributes, parts of its pictures, or neighbours in the graph"
    )
    text: str
    spans: tuple[tuple[int, int], ...] = Field(
        description="first character and one past the last of each word, from 0"
    )
    place: str | None = Field(
        default=None, description="of prose: the attribute that says it, and which characters"
    )


class HitOut(Model):
    """An entity that was found, and why."""

    key: str
    name: str
    label: str
    score: float = Field(description="sum over the lists; compares within one search only")
    ranks: dict[ListName, int] = Field(description="its place in each list that holds it, from 1")
    highlights: tuple[HighlightOut, ...] = ()
    image: ImageOut | None = None


class SearchOut(Model):
    """What a search found, best first."""

    query: str
    hits: tuple[HitOut, ...]
    granularity: Granularity = Field(description="how fine the prose that is shown was cut")
    next: str | None = Field(default=None, description="cursor: send it as `after` for more")
    lists: tuple[ListName, ...] = Field(description="which lists were searched")
    weights: dict[ListName, float] = Field(
        default_factory=dict, description="what a full score in each list counts for this query"
    )
    warnings: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        from api.display import hits_html

        return hits_html(self)
