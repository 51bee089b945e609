"""How fine a question wants prose: a rule on its words, whose choices were made on valid.

Who asks for a description wants a whole text, who asks for a fact wants few sentences. Which
granularity each kind of question gets, and what that gains over one for all, measures
`bench.granularity`. After UniversalRAG (arXiv 2504.20734), which trains such a router.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from kg.text_units import Granularity
from kg.words import words

__all__ = ["DEFAULT", "GLANCE", "SUITED", "Asks", "Chosen", "asks", "granularity_for"]

Chosen = Literal["auto", "sentence", "passage", "page"]
"""A granularity, or that the question decides."""
Asks = Literal["description", "fact", "words"]
"""What a text asks for; one of words alone asks for nothing in particular."""

DEFAULT: Chosen = "passage"
"""Best for all on valid: what ``auto`` gains over it is nothing that can be told from chance."""
GLANCE: Chosen = "sentence"
"""Of the prose that a search shows, which is to be read at a glance."""
SUITED: Mapping[Asks, Granularity] = {
    "description": "passage",
    "fact": "sentence",
    "words": "sentence",
}
"""What each kind of question gets from ``auto``; chosen on valid."""

_DESCRIBING = frozenset((
    "about", "background", "compare", "describe", "describing", "description", "discuss", "explain",
    "explaining", "explanation", "history", "introduce", "introduction", "outline", "overview",
    "story", "summarise", "summarize", "summary", "tell", "why",
))  # fmt: skip
_ASKING = frozenset((
    "how", "what", "when", "where", "which", "who", "whom", "whose", "is", "are", "was", "were",
    "do", "does", "did", "has", "have", "had", "can", "list", "name",
))  # fmt: skip


def asks(text: str) -> Asks:
    """Return what a text asks for.

    Args:
        text: In English; another language's question counts as one only by its question mark.

    Example:
        >>> asks("Describe the flag of Chad"), asks("When was Chad founded?"), asks("Chad 1960")
        ('description', 'fact', 'words')
    """
    said = [word.text for word in words(text)]
    if _DESCRIBING & {*said}:
        return "description"
    return "fact" if text.rstrip().endswith(("?", "？", "؟")) or _ASKING & {*said[:1]} else "words"


def granularity_for(text: str, chosen: Chosen = DEFAULT) -> Granularity:
    """Return how fine the prose for a text is cut.

    Example:
        >>> granularity_for("Describe the flag of Chad", "sentence")
        'sentence'
    """
    return SUITED[asks(text)] if chosen == "auto" else chosen
