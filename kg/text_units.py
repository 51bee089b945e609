"""Texts cut into units, fine or coarse: sentences, passages of a few sentences, or the whole text.

Sentences are found by sentencex (Wikimedia; https://github.com/wikimedia/sentencex), which knows
the abbreviations of many languages. A line's end also ends one, so that a row of a table is one; a
blank line also ends a passage.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from sentencex import get_sentence_boundaries

__all__ = ["GRANULARITIES", "PASSAGE", "SENTENCE", "Granularity", "Span", "units"]

Granularity = Literal["sentence", "passage", "page"]
GRANULARITIES: tuple[Granularity, ...] = ("sentence", "passage", "page")
"""From fine to coarse."""

SENTENCE = 900
"""Characters of a sentence; a longer one is cut between words."""
PASSAGE = 1_000
"""Characters of a passage, unless a sentence is longer."""
THIRD = 3
"""A passage takes one part in so many of the room; chosen on valid (`bench.granularity`)."""

_LINE = re.compile(r"[\r\n\f\v\u2028\u2029]")
_BLANK = re.compile(r"\r?\n[ \t]*\r?\n|[\f\u2029]")

Span = tuple[int, int]
"""First character of a unit in its text, from 0, and one past the last."""


def units(
    text: str, granularity: Granularity, *, language: str = "en", room: int | None = None
) -> list[Span]:
    """Cut a text; the units hold all of it but the white space between them, in its order.

    Args:
        text: Any text.
        granularity: How fine.
        language: Code of the text's language, whose abbreviations end no sentence.
        room: Characters that there is room for. A page of more is cut by passages, and a passage of
            several sentences takes at most a third of it, so that none keeps all else out.

    Example:
        >>> text = "Dr. Ito came in 1960. She stayed."
        >>> [text[start:end] for start, end in units(text, "sentence")]
        ['Dr. Ito came in 1960.', 'She stayed.']
        >>> units(text, "page"), units(text, "page", room=30), units("  ", "page")
        ([(0, 33)], [(0, 21), (22, 33)], [])
    """
    whole = _trimmed(text, 0, len(text))
    if whole[0] == whole[1]:
        return []
    if granularity == "page" and (room is None or whole[1] - whole[0] <= room):
        return [whole]
    together = PASSAGE if room is None else min(PASSAGE, room // THIRD)
    if granularity == "sentence":
        together = 0
    found: list[Span] = []
    for paragraph in _between(_BLANK, text, whole):
        parts = (p for one in _sentences(text, paragraph, language) for p in _parts(text, one))
        found += _joined(parts, together)
    return found


def _between(ends: re.Pattern[str], text: str, span: Span) -> Iterator[Span]:
    """Iterate what lies between matches."""
    begin, last = span
    for match in ends.finditer(text, *span):
        yield begin, match.start()
        begin = match.end()
    yield begin, last


def _sentences(text: str, span: Span, language: str) -> Iterator[Span]:
    for begin, last in _between(_LINE, text, span):
        for found in get_sentence_boundaries(language, text[begin:last]):
            start, end = _trimmed(text, begin + found["start_index"], begin + found["end_index"])
            if start < end:
                yield start, end


def _parts(text: str, span: Span) -> Iterator[Span]:
    """Cut a sentence that is too long, after its last space that is early enough, if it has one."""
    start, end = span
    while end - start > SENTENCE:
        space = text.rfind(" ", start + 1, start + SENTENCE)
        stop = space if space > 0 else start + SENTENCE
        yield _trimmed(text, start, stop)
        start = _trimmed(text, stop, end)[0]
    yield start, end


def _joined(sentences: Iterable[Span], most: int) -> Iterator[Span]:
    """Join neighbours while they are short enough together."""
    start = end = -1
    for span in sentences:
        if start < 0 or span[1] - start > most:
            if start >= 0:
                yield start, end
            start = span[0]
        end = span[1]
    if start >= 0:
        yield start, end


def _trimmed(text: str, start: int, end: int) -> Span:
    """Return a span without the white space at its ends."""
    said = text[start:end]
    left = len(said) - len(said.lstrip())
    return start + left, max(start + left, start + len(said.rstrip()))
