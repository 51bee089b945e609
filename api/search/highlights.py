"""Why an entity was found by its words: the texts that hold them, with their places.

Of its prose, those pieces are shown that hold words which no piece before holds, the one that holds
most of them first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from rapidfuzz.distance import OSA

from api.search.schemas import HighlightOut
from kg.full_text import FUZZY_FROM
from kg.prose import Piece, pieces_of
from kg.words import words

if TYPE_CHECKING:
    from kg.model import Entity
    from kg.stemming import Stems
    from kg.store import Store
    from kg.text_units import Granularity

    Roots = frozenset[tuple[str, str]]
    Found = tuple[list[tuple[int, int]], set[str]]

__all__ = ["Sought", "highlights"]

SHOWN = 5
"""Texts shown for one hit."""
AROUND = 80
"""Characters of a name shown on either side of the first word found."""
AROUND_PROSE = 1_000
"""The same of a piece of prose."""
_NEIGHBOURS = 200


@dataclass(frozen=True, slots=True)
class Sought:
    """The words of a query.

    Attributes:
        roots: Of each word, its stems.
        stems: Tell inflections.
    """

    roots: Mapping[str, Roots]
    stems: Stems

    @classmethod
    def of(cls, query: str, stems: Stems) -> Sought:
        """Take a query apart."""
        said = words(query)
        return cls({word.text: stems.roots(query[word.start : word.end]) for word in said}, stems)

    def found(self, text: str) -> Found:
        """Return where words of the query stand in a text, and which."""
        spans: list[tuple[int, int]] = []
        held: set[str] = set()
        for word in words(text):
            mine = self.stems.roots(text[word.start : word.end])
            fitting = {t for t, own in self.roots.items() if mine & own or _fits(word.text, t)}
            if fitting:
                spans.append((word.start, word.end))
                held |= fitting
        return spans, held


def highlights(
    store: Store,
    entity: Entity,
    sought: Sought,
    granularity: Granularity,
) -> tuple[HighlightOut, ...]:
    """Return the texts of an entity that hold words of a query, its own before its neighbours'.

    Args:
        store: Gives its edges and the names at their other ends.
        entity: Which.
        sought: What was searched.
        granularity: How fine its prose is cut.
    """
    shown: list[HighlightOut] = []
    missing = set(sought.roots)
    for text in (entity.name, *entity.aliases):
        spans, held = sought.found(text)
        if spans:
            missing -= held
            shown.append(_cut("names", text, spans, AROUND))
    shown = shown[:SHOWN]
    for piece, spans, held in islice(_telling(entity, sought, granularity), SHOWN - len(shown)):
        missing -= held
        shown.append(_cut("prose", piece.text, spans, AROUND_PROSE, piece=piece))
    near = _near(store, entity)  # asks the store for nothing before its first
    while missing and len(shown) < SHOWN and (told := next(near, None)) is not None:
        spans, held = sought.found(told[1])
        if held & missing:  # neighbours only say what it does not itself
            missing -= held
            shown.append(_cut(told[0], told[1], spans, AROUND))
    return tuple(shown)


def _telling(
    entity: Entity, sought: Sought, granularity: Granularity
) -> Iterator[tuple[Piece, list[tuple[int, int]], set[str]]]:
    """Iterate the pieces of prose that hold words which none before holds, most of them first."""
    rest = [(piece, *sought.found(piece.text)) for piece in pieces_of(entity, granularity)]
    told: set[str] = set()
    while rest:
        best = max(rest, key=lambda row: len(row[2] - told))
        if not best[2] - told:
            return
        told |= best[2]
        yield best


def _near(store: Store, entity: Entity) -> Iterator[tuple[str, str]]:
    edges = store.neighbours(entity.key, direction="both", limit=_NEIGHBOURS)
    others = [edge.tail if edge.head == entity.key else edge.head for edge in edges]
    names = {other.key: other.name for other in store.entities_of(others)}
    for edge, other in zip(edges, others, strict=True):
        field = "picture" if edge.relation == "has_part" else "facts"
        yield field, names.get(other, other)


def _fits(word: str, term: str) -> bool:
    if word == term:
        return True
    return len(term) >= FUZZY_FROM and OSA.distance(word, term, score_cutoff=1) <= 1


def _cut(
    field: str,
    text: str,
    spans: list[tuple[int, int]],
    around: int,
    *,
    piece: Piece | None = None,
) -> HighlightOut:
    """Return a long text around its first word found."""
    start = max(0, spans[0][0] - around)
    end = min(len(text), spans[0][1] + 2 * around)
    inside = tuple((a - start, b - start) for a, b in spans if b <= end)
    place = None if piece is None else piece.placed(start, end)
    return HighlightOut.model_validate(
        {"field": field, "text": text[start:end], "spans": inside, "place": place}
    )
