"""The words of a text for searching: folded in accents and case, each with its place in the text.

Scripts that write without spaces (Chinese, Japanese, Thai and their like) give overlapping pairs of
characters, so that a part of a sentence is found without knowing where its words begin.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["MAX_WORD", "Word", "folded", "words"]

MAX_WORD = 64
"""Characters of a folded word; what is beyond tells nothing more."""

_ASCII = re.compile(r"[A-Za-z0-9]+")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]+"
)


class Word(NamedTuple):
    """A word of a text.

    Attributes:
        text: Folded.
        start: First character in the text, from 0.
        end: One past the last.
    """

    text: str
    start: int
    end: int


def words(text: str) -> Iterator[Word]:
    """Iterate the words of a text, in its order.

    Example:
        >>> [word.text for word in words("Côte d'Ivoire, 1960")]
        ['cote', 'd', 'ivoire', '1960']
        >>> [word.text for word in words("東京都")]
        ['東京', '京都']
    """
    for start, end in _runs(text):
        run = text[start:end]
        if run.isascii():
            yield Word(run.lower()[:MAX_WORD], start, end)
            continue
        last = 0
        for match in _UNSPACED.finditer(run):
            yield from _whole(run, last, match.start(), start)
            yield from _pairs(run, match.start(), match.end(), start)
            last = match.end()
        yield from _whole(run, last, len(run), start)


def folded(text: str) -> str:
    """Return a text in compatible form, without accents and case.

    Example:
        >>> folded("Türkiye"), folded("ＦＩＮＥ")
        ('turkiye', 'fine')
    """
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold()


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Iterate the longest runs of letters, digits and the marks upon them."""
    if text.isascii():
        for match in _ASCII.finditer(text):
            yield match.span()
        return
    start = None
    for position, character in enumerate(text):
        inside = character.isalnum() or (
            start is not None and unicodedata.category(character)[0] == "M"
        )
        if inside and start is None:
            start = position
        elif not inside and start is not None:
            yield start, position
            start = None
    if start is not None:
        yield start, len(text)


def _whole(run: str, start: int, end: int, offset: int) -> Iterator[Word]:
    if plain := folded(run[start:end])[:MAX_WORD]:
        yield Word(plain, offset + start, offset + end)


def _pairs(run: str, start: int, end: int, offset: int) -> Iterator[Word]:
    for position in range(start, max(start + 1, end - 1)):
        stop = min(position + 2, end)
        if plain := folded(run[position:stop]):
            yield Word(plain, offset + position, offset + stop)
