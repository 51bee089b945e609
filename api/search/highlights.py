"""Why an entity was found by its words: the texts that hold them, with their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rapidfuzz.distance import OSA

from api.search.schemas import HighlightOut
from kg.full_text import FUZZY_FROM, searched_texts
from kg.words import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from kg.model import Entity, EntityKey
    from kg.stemming import Stems
    from kg.store import Store

    Roots = frozenset[tuple[str, str]]

__all__ = ["highlights"]

SHOWN = 5
"""Texts shown for one hit."""
AROUND = 80
"""Characters of a long text shown on either side of the first word found."""
_NEIGHBOURS = 200


def highlights(
    store: Store, entity: Entity, query: str, name: Callable[[EntityKey], str], stems: Stems
) -> tuple[HighlightOut, ...]:
    """Return the texts of an entity that hold words of a query, its own before its neighbours'.

    Args:
        store: Gives its edges.
        entity: Which.
        query: What was searched.
        name: Gives the name of another entity.
        stems: Tell inflections.
    """
    wanted = {word.text: stems.roots(query[word.start : word.end]) for word in words(query)}
    found: list[HighlightOut] = []
    missing = set(wanted)
    for field, text in _texts(store, entity, name, missing):
        if len(found) == SHOWN:
            break
        spans, held = _spans(text, wanted, stems)
        if field in ("picture", "facts") and not held & missing:
            continue  # neighbours only say what the entity itself does not
        if spans:
            missing -= held
            found.append(_cut(field, text, spans))
    return tuple(found)


def _texts(
    store: Store, entity: Entity, name: Callable[[EntityKey], str], missing: set[str]
) -> Iterator[tuple[str, str]]:
    yield from searched_texts(entity)
    if not missing:
        return
    for edge in store.neighbours(entity.key, direction="both", limit=_NEIGHBOURS):
        other = edge.tail if edge.head == entity.key else edge.head
        yield ("picture" if edge.relation == "has_part" else "facts"), name(other)


def _spans(
    text: str, wanted: Mapping[str, Roots], stems: Stems
) -> tuple[list[tuple[int, int]], set[str]]:
    spans: list[tuple[int, int]] = []
    held: set[str] = set()
    for word in words(text):
        mine = stems.roots(text[word.start : word.end])
        fitting = {t for t, roots in wanted.items() if mine & roots or _fits(word.text, t)}
        if fitting:
            spans.append((word.start, word.end))
            held |= fitting
    return spans, held


def _fits(word: str, term: str) -> bool:
    if word == term:
        return True
    return len(term) >= FUZZY_FROM and OSA.distance(word, term, score_cutoff=1) <= 1


def _cut(field: str, text: str, spans: list[tuple[int, int]]) -> HighlightOut:
    """Return a long text around its first word found."""
    start = max(0, spans[0][0] - AROUND)
    end = min(len(text), spans[0][1] + 2 * AROUND)
    inside = tuple((a - start, b - start) for a, b in spans if b <= end)
    return HighlightOut.model_validate({"field": field, "text": text[start:end], "spans": inside})
