"""Finds names of the graph in plain text: the longest match at each word, whatever the spelling.

A span is a mention if its normalised form (`linkers.names.normalised`: case, accents, composed or
decomposed letters, abbreviations) is that of a name or alias of the base. What it means is the
linker's affair. Scripts without spaces are taken letter by letter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from linkers.names import is_code, normalised
from linkers.protocols import NamedEntities

__all__ = ["Finder", "Gazetteer", "Spot", "Word", "words_of"]

Finder = Literal["gazetteer", "classifier"]

_LONGEST = 200  # characters of a name: `normalised` reads no more
_MOST_WORDS = 24
_GAP = re.compile(r"[^\S\n]*\n?[^\S\n]*|[ ]?[-‐‑–'’ʼ/(&][ ]?|, ?|\. ?|\) ?")
_SHORT_WORD = 3  # letters before a full stop that may belong to a name ("St. Lucia")
_ARTICLE = "the"
_JOINERS = "\u200c\u200d\u00ad_"  # within a word: zero-width joiners, the soft hyphen
_NEAR = 4  # words either side that tell whether a text is written in capitals
_UNSPACED = re.compile(
    r"CJK|HIRAGANA|KATAKANA|BOPOMOFO|THAI |LAO |KHMER |MYANMAR |TIBETAN |YI SYLLABLE"
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: its characters ``[start, end)``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place of a text that may name something.

    Attributes:
        start: First character.
        end: One past the last.
        finder: Who found it.
        score: How sure the finder is, in [0, 1]; 1 for a name of the graph.
    """

    start: int
    end: int
    finder: Finder = "gazetteer"
    score: float = 1.0


def words_of(text: str) -> list[Word]:
    """Return the words of a text; marks belong to the letter before them, ``&`` is a word.

    Example:
        >>> [(word.start, word.end) for word in words_of("Côte d'Ivoire")]
        [(0, 4), (5, 6), (7, 13)]
        >>> len(words_of("中国"))
        2
    """
    found: list[Word] = []
    start: int | None = None
    for place, char in enumerate(text):
        inside = char.isalnum() or (start is not None and _belongs(char))
        alone = char == "&" or (inside and char > "\u0e00" and _is_unspaced(char))
        if start is not None and (alone or not inside):
            found.append(Word(start, place))
            start = None
        if char == "&":
            found.append(Word(place, place + 1))
        elif inside and start is None:
            start = place
    if start is not None:
        found.append(Word(start, len(text)))
    return found


def _belongs(char: str) -> bool:
    return char in _JOINERS or unicodedata.category(char)[0] == "M"


def _is_unspaced(char: str) -> bool:
    return unicodedata.category(char)[0] == "L" and bool(
        _UNSPACED.match(unicodedata.name(char, ""))
    )


class Gazetteer:
    """The names of a base, ready to be found.

    Args:
        base: Whose names.

    Example:
        >>> from kg.model import Entity, EntityKey
        >>> from linkers import KnowledgeBase
        >>> tuvalu = Entity(key=EntityKey("c:TV"), label="Country", name="Tuvalu")
        >>> text = "Ships reach TUVALU's atolls."
        >>> [text[s.start : s.end] for s in Gazetteer(KnowledgeBase.build([tuvalu])).find(text)]
        ['TUVALU']
    """

    def __init__(self, base: NamedEntities) -> None:
        self._spellings = base.spellings
        self._longest: dict[str, int] = {}
        for names in base.names:
            for name in names:
                self._add(name)

    def _add(self, name: str) -> None:
        words = words_of(name[:_LONGEST])
        if not words:
            return
        forms = _first_forms(name, words[0])
        if _ARTICLE in forms and len(words) > 1:
            forms |= _first_forms(name, words[1])
        for form in forms:
            self._longest[form] = max(self._longest.get(form, 0), min(len(words), _MOST_WORDS))

    def find(self, text: str) -> list[Spot]:
        """Return the names in a text, in order; none overlaps another."""
        words = words_of(text)
        found: list[Spot] = []
        place = 0
        while place < len(words):
            length = self._length(text, words, place)
            if length:
                last = words[place + length - 1]
                found.append(Spot(start=words[place].start, end=last.end))
            place += max(1, length)
        return found

    def _length(self, text: str, words: Sequence[Word], first: int) -> int:
        """Return how many words the longest name that starts here has; 0 if there is none."""
        forms = _first_forms(text, words[first])
        most = max((self._longest.get(form, 0) for form in forms), default=0)
        reach = 0
        while reach < most and first + reach < len(words):
            word = words[first + reach]
            if word.end - words[first].start > _LONGEST:
                break
            if reach and not _together(text, words[first + reach - 1], word):
                break
            reach += 1
        for length in range(reach, 0, -1):
            span = text[words[first].start : words[first + length - 1].end]
            if normalised(span) in self._spellings and not (
                is_code(span) and _in_capitals(text, words, first)
            ):
                return length
        return 0


def _first_forms(text: str, word: Word) -> set[str]:
    """Return how the first word of a name may be written once normalised."""
    plain = text[word.start : word.end]
    forms = {normalised(plain), normalised(plain.casefold())}
    if text[word.end : word.end + 1] == ".":
        forms.add(normalised(f"{plain}. x").split(" ", 1)[0])  # "S. Korea" begins with "south"
    return forms


def _together(text: str, one: Word, other: Word) -> bool:
    """Tell whether two words may belong to one name: no sentence ends between them."""
    gap = text[one.end : other.start]
    if not _GAP.fullmatch(gap):
        return False
    before = text[one.start : one.end]
    short = len(before) <= _SHORT_WORD and before[:1].isupper()
    # "in the US. Korea" ends a sentence; "ST. LUCIA" does not
    code = len(before) > 1 and before.isupper() and not text[other.start : other.end].isupper()
    return not gap.startswith(".") or (short and not code)


def _in_capitals(text: str, words: Sequence[Word], place: int) -> bool:
    """Tell whether the words around are capitals too, so that capitals mark no code."""
    near = [*words[max(0, place - _NEAR) : place], *words[place + 1 : place + 1 + _NEAR]]
    long = [text[w.start : w.end] for w in near if w.end - w.start > 1]
    return bool(long) and 2 * sum(word.isupper() for word in long) > len(long)
