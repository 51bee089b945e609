"""What is said of an entity, its text attributes, in pieces that know their places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kg.full_text_documents import language_of, prose_of
from kg.text_units import Granularity, units

if TYPE_CHECKING:
    from kg.model import Entity

__all__ = ["Piece", "pieces_of"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of what is said of an entity.

    Attributes:
        attribute: Which one says it; ``about[1]`` is the second text of ``about``.
        start: First character in that text, from 0.
        end: One past the last.
        text: The piece, as it is written.
    """

    attribute: str
    start: int
    end: int
    text: str

    @property
    def place(self) -> str:
        """Where it stands, as records name places."""
        return self.placed(0, len(self.text))

    def placed(self, start: int, end: int) -> str:
        """Return where some characters of it stand."""
        return f"{self.attribute} chars {self.start + start}-{self.start + end}"


def pieces_of(
    entity: Entity, granularity: Granularity, *, room: int | None = None
) -> Iterator[Piece]:
    """Iterate an entity's prose, in the order of attributes.

    Args:
        entity: Whose.
        granularity: How fine it is cut.
        room: Characters that there is room for, as `kg.text_units.units` takes it.
    """
    met = Counter[str]()
    for name, text in prose_of(entity):
        several = isinstance(entity.attributes[name], tuple)
        attribute = f"{name}[{met[name]}]" if several else name
        met[name] += 1
        for start, end in units(text, granularity, language=language_of(name) or "en", room=room):
            yield Piece(attribute, start, end, text[start:end])
