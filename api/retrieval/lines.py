"""Lines of a context: what each costs and is worth for a text, and which go into a budget.

A line's worth is that of its entity, 1 / (1 + place), times the cube of one plus the share of the
text's words that stand in it; what an entity is counts half as much again. The cube was chosen on
valid (`bench.granularity`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.retrieval.evidence import BYTES, evidence_of, tokens_of
from kg.words import words
from reasoning.plain.function_words import EMPTY_WORDS

if TYPE_CHECKING:
    from api.engine import Engine
    from api.records import Records
    from api.retrieval.schemas import EvidenceOut
    from kg.model import EntityKey
    from kg.text_units import Granularity

__all__ = ["Line", "line_of", "lines_about", "packed", "ranked", "room_of", "telling_words"]

SHARP = 3
"""Power of what a line's words say."""
BESIDE = 150
"""Characters of a line of prose beside it: name, attribute, status, source and key."""
IDENTITY = 1.5
"""What counts more: what an entity is."""


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of evidence as a line.

    Attributes:
        evidence: What it says.
        words: Its words, folded.
        tokens: What it costs, by the estimate of `tokens_of`.
    """

    evidence: EvidenceOut
    words: frozenset[str]
    tokens: int

    @classmethod
    def of(cls, one: EvidenceOut) -> Line:
        """Make a line of a piece of evidence."""
        cost = tokens_of(line_of(one) + "\n")
        return cls(one, frozenset(word.text for word in words(one.text)), cost)

    def worth(self, wanted: frozenset[str]) -> float:
        """Return what it is worth by its own words, if it is about the first entity."""
        share = len(self.words & wanted) / max(1, len(wanted))
        return float((1 + share) ** SHARP) * (IDENTITY if self.evidence.kind == "entity" else 1.0)


def line_of(one: EvidenceOut) -> str:
    """Return a piece of evidence as a line: text, status, source and the key to cite it by."""
    sure = "known" if one.status == "known" else f"likely {one.probability:.2f}"
    text = " ".join(one.text.split())
    return f"- {text} [{sure}; {one.source}; {one.key}]"


def telling_words(text: str) -> frozenset[str]:
    """Return the words of a text that say something."""
    return frozenset(word.text for word in words(text)) - EMPTY_WORDS


def lines_about(
    engine: Engine,
    key: EntityKey,
    granularity: Granularity,
    *,
    room: int | None = None,
    held: Records | None = None,
) -> list[Line]:
    """Return all lines about an entity; none if it is gone.

    Args:
        engine: The graph.
        key: The entity.
        granularity: How fine its prose is cut.
        room: Characters that there is room for, as `kg.text_units.units` takes it.
        held: What was read of the store as it is now; it is asked for if None.
    """
    held = held or engine.records()
    entity = held.entity(key)
    if entity is None:
        return []
    return [Line.of(one) for one in evidence_of(engine, entity, granularity, room=room, held=held)]


def room_of(budget: int) -> int:
    """Return how many characters of prose fit a line that takes all of a budget of tokens."""
    return max(1, BYTES * budget - BESIDE)


def ranked(lines: Iterable[Sequence[Line]], text: str) -> list[tuple[float, Line]]:
    """Return lines with their worth for a text.

    Args:
        lines: Of each entity, the best entity first.
        text: What is asked.
    """
    wanted = telling_words(text)
    return [
        (line.worth(wanted) / (1 + place), line)
        for place, of_it in enumerate(lines)
        for line in of_it
    ]


def packed(rows: Iterable[tuple[float, Line]], budget: int) -> list[EvidenceOut]:
    """Return what goes into a budget of tokens, the best first; ties in the order of keys.

    What does not fit any more is left out, and what is worth less may fit in its place.
    """
    best = sorted(rows, key=lambda row: (-row[0], row[1].evidence.key))
    least = min((line.tokens for _, line in best), default=0)
    kept, left = list["EvidenceOut"](), budget
    seen: set[str] = set()
    for _, line in best:
        if left < least:
            break
        one = line.evidence
        if line.tokens <= left and one.key not in seen:
            seen.add(one.key)
            kept.append(one.model_copy(update={"tokens": line.tokens}))
            left -= line.tokens
    return kept
