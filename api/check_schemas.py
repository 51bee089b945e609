"""What the doors of Umbra speak about checks of pictures: both sides of each conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from api.proof_schemas import Model, RecordOut

if TYPE_CHECKING:
    from scenes.verification import Vote

__all__ = ["ChecksOut", "PredicateFlagOut", "TextFlagOut", "VoteOut"]

Box = tuple[float, float, float, float]


class PredicateFlagOut(Model):
    """A predicate between two parts of a picture that their boxes rule out."""

    case: Literal["geometry"] = "geometry"
    entity: str = Field(description="whose picture it is")
    image: str = Field(description="sha256 of the picture")
    subject: str
    predicate: str
    object: str
    said: tuple[RecordOut, ...] = Field(description="who says it, how surely")
    geometry: str = Field(description="what the boxes say")
    boxes_xyxy: tuple[Box, Box] = Field(description="of subject and object, in pixels")


class VoteOut(Model):
    """What a witness sees of a claim; a threshold is null where it may never say so."""

    witness: str
    log_odds: float
    refutes_below: float | None
    supports_above: float | None

    @classmethod
    def of(cls, vote: Vote) -> Self:
        """Return a vote without infinities, which JSON has not."""
        return cls(
            witness=vote.witness,
            log_odds=vote.log_odds,
            refutes_below=_finite(vote.refutes),
            supports_above=_finite(vote.supports),
        )


def _finite(threshold: float) -> float | None:
    return threshold if abs(threshold) != float("inf") else None


class TextFlagOut(Model):
    """A claim on which the text and both witnesses of the picture differ."""

    case: Literal["text"] = "text"
    entity: str
    claim: str = Field(description="a figure or a colour, such as star or red")
    text: Literal["names", "silent"] = Field(description="whether the text names it")
    description: str = Field(description="the whole text")
    picture: Literal["supported", "refuted"] = Field(description="what both witnesses say")
    votes: tuple[VoteOut, ...]


class ChecksOut(Model):
    """What is in conflict with the pictures of an entity."""

    key: str
    predicates: tuple[PredicateFlagOut, ...] = Field(description="checked now, on the edges stored")
    truncated: bool = Field(default=False, description="there are more parts or edges to check")
    next: str | None = Field(default=None, description="cursor: send it as `after` for more")
    texts: tuple[TextFlagOut, ...] = Field(
        description="from the last `umbra scenes check`; they come with the first page"
    )
    texts_checked: bool = Field(
        description="whether that run had a text and parts of this entity; false on later pages"
    )
    texts_version: int | None = Field(
        default=None,
        description="of the store that the texts were checked on; null for never, and on later "
        "pages",
    )
