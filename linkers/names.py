"""Names made comparable: case, accents, script, sound. Pure functions on strings.

A short name in capitals (IN, US, UAE) is a code: it equals only itself, so that "in" is never
India.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

__all__ = ["is_code", "is_phrase", "latin", "latin_text", "normalised", "plain", "sound"]

_MAX_CHARS = 200  # of a name; a longer one is no name
_CODE_LENGTH = 3
_ARTICLE = re.compile(r"^the (?=\S)")
_NO_WORD = re.compile(r"[^\w]+")
# abbreviations that English texts use inside names ("S. Korea", "St. Lucia")
_SHORT = {
    "n.": "north",
    "s.": "south",
    "e.": "east",
    "w.": "west",
    "st.": "saint",
    "rep.": "republic",
    "dem.": "democratic",
    "is.": "islands",
}
# consonants that languages and scripts exchange; vowels and h, w, y carry little across scripts
_SOUNDS = {
    **dict.fromkeys("bpfv", "p"),
    **dict.fromkeys("dt", "t"),
    **dict.fromkeys("gkqc", "k"),
    **dict.fromkeys("lr", "l"),
    **dict.fromkeys("szxj", "s"),
    **dict.fromkeys("mn", "n"),
}


def is_code(text: str) -> bool:
    """Tell whether a name is a code: up to three capitals.

    Example:
        >>> is_code("US"), is_code("us"), is_code("USSR")
        (True, False, False)
    """
    return len(text) <= _CODE_LENGTH and text.isascii() and text.isalpha() and text.isupper()


def is_phrase(text: str) -> bool:
    """Tell whether words point to an entity without naming it: several, in lower case.

    Example:
        >>> is_phrase("the country"), is_phrase("The Gambia"), is_phrase("chilean")
        (True, False, False)
    """
    words = text.split()
    return len(words) > 1 and words[0][0].islower()


@lru_cache(maxsize=16_384)
def plain(text: str) -> str:
    """Return a name in lower case and composed form, spaces single, abbreviations written out.

    Example:
        >>> plain("S. Korea")
        'south korea'
    """
    return _written_out(unicodedata.normalize("NFC", text[:_MAX_CHARS]).casefold())


def _written_out(text: str) -> str:
    words = text.split()
    if len(words) == 1:
        return words[0]
    return " ".join(_SHORT.get(word, word) for word in words)


@lru_cache(maxsize=16_384)
def latin(text: str) -> str:
    """Return a name in lower-case ASCII letters, other scripts transliterated.

    Example:
        >>> latin("Türkiye"), latin("Россия"), latin("독일")
        ('turkiye', 'rossiya', 'dogil')
    """
    return latin_text(text)


def latin_text(text: str) -> str:
    """Return `latin` of what is not likely to come again, such as a text: nothing is remembered.

    Remembered texts would push the names out, and lie in pieces all over the heap.

    Example:
        >>> latin_text("Vive la Türkiye")
        'vive la turkiye'
    """
    return _written_out(anyascii(text[:_MAX_CHARS]).casefold())


@lru_cache(maxsize=16_384)
def normalised(text: str) -> str:
    """Return what two spellings of one name share; a code stays as it is.

    Example:
        >>> normalised("The São Tomé & Príncipe"), normalised("US"), normalised("us")
        ('sao tome and principe', 'US', 'us')
    """
    text = text.strip()
    if is_code(text):
        return text
    words = plain(text).replace("&", " and ")
    decomposed = unicodedata.normalize("NFKD", words)
    bare = "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()
    words = " ".join(_NO_WORD.sub(" ", bare).split())
    return _ARTICLE.sub("", words) or plain(text)


@lru_cache(maxsize=16_384)
def sound(text: str) -> str:
    """Return the consonants of a name, sounds that languages exchange made one, word by word.

    Example:
        >>> sound("Brazil"), sound("브라질"), sound("巴西")
        ('plsl', 'plsl', 'ps')
    """
    return " ".join(filter(None, (_word_sound(word) for word in latin(text).split())))


def _word_sound(word: str) -> str:
    classes = [_SOUNDS[char] for char in word if char in _SOUNDS]
    return "".join(c for place, c in enumerate(classes) if place == 0 or classes[place - 1] != c)
