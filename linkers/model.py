"""What linking passes around: mentions, candidates, links; plain frozen values.

A row of a linking job has exactly one state; no aggregate may merge two of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from kg.model import EntityKey

__all__ = ["Candidate", "Link", "LinkState", "Mention", "NilReason"]

LinkState = Literal["linked", "nil", "review", "failed", "pending"]
NilReason = Literal["no candidate", "low margin", "out of the graph", "modalities in conflict"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Words (and perhaps a picture) that may name an entity.

    Attributes:
        id: Stable id of the mention; results are joined by it.
        surface: The words themselves.
        context: The text around them.
        start: First character of the surface in `context`, if it stands there.
        end: One past its last character.
        image: Path or content hash of its picture, if any.
        document: Where it stands; mentions of one document are judged together.
    """

    id: str
    surface: str
    context: str = ""
    start: int | None = None
    end: int | None = None
    image: str | None = None
    document: str | None = None

    def placed(self) -> Mention:
        """Return the mention with its words looked up in its text, where no place is told.

        Example:
            >>> Mention(id="1", surface="Peru", context="Off Peru").placed().start
            4
        """
        place = self.context.find(self.surface) if self.start is None and self.surface else -1
        return self if place < 0 else replace(self, start=place, end=place + len(self.surface))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An entity that a mention may mean.

    Attributes:
        entity: Its key.
        score: The matcher's score, higher is better.
        probability: Calibrated probability that this is the entity.
        signals: What the score rests on, by name (string similarity, prior, unit scores …); empty
            where that is not told.
    """

    entity: EntityKey
    score: float
    probability: float
    signals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The decision on one mention.

    Attributes:
        mention: Id of the mention.
        state: `linked`, `nil`, `review` (between the thresholds), `failed` or `pending`.
        entity: Key of the entity; set only where the state is `linked` or `review`.
        probability: Of the decision: that the entity is right, or that NIL is.
        nil_probability: That no entity of the graph is meant.
        reason: Why NIL, or why failed; of an entity, that words and picture are in conflict.
        candidates: Best first.
    """

    mention: str
    state: LinkState
    entity: EntityKey | None
    probability: float
    nil_probability: float
    reason: str | None = None
    candidates: tuple[Candidate, ...] = ()
