"""Inflected words by their stems, for the languages that a graph's texts are in.

Snowball's stemmers (Porter, "Snowball: a language for stemming algorithms", 2001), as tantivy has
them. They rely on accents in some languages, and people leave accents out: a word has the stem of
how it is written, folded, and the stem of how it is written without accents, where these differ.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, Literal

from kg.errors import InputError
from kg.words import MAX_WORD, folded

__all__ = ["LANGUAGES", "Language", "Stems"]

Language = Literal[
    "ar", "da", "de", "el", "en", "es", "fi", "fr", "hu", "it", "nl", "no", "pt", "ro", "ru", "sv",
    "ta", "tr",
]  # fmt: skip
"""A language by its ISO 639-1 code."""
LANGUAGES: Mapping[str, str] = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "fi": "finnish", "fr": "french", "hu": "hungarian", "it": "italian",
    "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
"""The languages that have a stemmer, with its name."""
_REMEMBERED = 65_536
"""Words whose stems are kept in memory: words of a text come again."""


class Stems:
    """Gives the stems of words.

    Args:
        languages: Codes of `LANGUAGES`; none gives no stems.

    Attributes:
        languages: The codes, each once, in order.

    Raises:
        InputError: There is no stemmer for a language.

    Example:
        >>> german = Stems(["de"])
        >>> german.of("Häusern", "de"), german.roots("Haus") == german.roots("HÄUSER")
        (('haus',), True)
    """

    def __init__(self, languages: Iterable[str] = ()) -> None:
        self.languages = tuple(sorted(set(languages)))
        unknown = [code for code in self.languages if code not in LANGUAGES]
        if unknown:
            raise InputError(
                f"no stemmer for the language {unknown[0]!r}", hint=f"one of {', '.join(LANGUAGES)}"
            )

    def of(self, written: str, language: str) -> tuple[str, ...]:
        """Return the stems of one word as it is written, folded: one, or two by its accents."""
        return _stems(written, language)

    def roots(self, written: str) -> frozenset[tuple[str, str]]:
        """Return language and stem in each language; words that share one are inflections."""
        return frozenset((code, stem) for code in self.languages for stem in _stems(written, code))


@lru_cache(maxsize=_REMEMBERED)
def _stems(written: str, language: str) -> tuple[str, ...]:
    lower = unicodedata.normalize("NFKC", written).lower()[:MAX_WORD]
    both = (folded(_stem(lower, language)), _stem(folded(lower), language))
    return tuple(dict.fromkeys(stem for stem in both if stem))


def _stem(word: str, language: str) -> str:
    found: list[str] = _analyzer(language).analyze(word)
    return found[0] if found else word


@cache
def _analyzer(language: str) -> Any:
    import tantivy  # slow, and settings need only the codes

    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.raw())
    return builder.filter(tantivy.Filter.stemmer(LANGUAGES[language])).build()
