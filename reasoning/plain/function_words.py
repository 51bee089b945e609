"""Words that carry a question's form and say nothing about what is asked."""

from __future__ import annotations

__all__ = [
    "AUXILIARIES",
    "DETERMINERS",
    "EMPTY_WORDS",
    "JOINS",
    "LEADS",
    "NOT",
    "PREPOSITIONS",
    "PRONOUNS",
]

EMPTY_WORDS = frozenset((
    "a", "an", "the", "is", "are", "was", "were", "be", "been", "being", "do", "does", "did",
    "has", "have", "had", "of", "in", "on", "at", "to", "from", "by", "with", "for", "as",
    "it", "its", "their", "his", "her", "they", "them", "there", "which", "who", "whom",
    "whose", "what", "that", "where", "and", "or", "not", "no", "any", "some", "all", "both",
    "either", "these", "those", "this", "one", "ones", "such", "also", "than", "more", "most",
    "can", "could", "may", "also", "only", "me", "us", "we", "you", "i", "s", "t",
))  # fmt: skip
"""Say nothing about which relation is meant."""
PREPOSITIONS = frozenset((
    "to", "from", "by", "in", "of", "on", "at", "with", "for",
))  # fmt: skip
DETERMINERS = frozenset((
    "the", "a", "an", "all", "any", "some", "those", "these", "every", "both", "either",
    "which", "what", "such", "their", "its", "his", "her",
))  # fmt: skip
"""Stand before a thing."""
PRONOUNS = frozenset((
    "that", "which", "who", "whom", "whose", "where",
))  # fmt: skip
NOT = frozenset((
    "not", "no", "never", "without", "except", "don", "doesn", "didn", "isn", "aren",
    "neither", "nor", "cannot",
))  # fmt: skip
JOINS = frozenset((
    "and", "or", "but", "nor",
))  # fmt: skip
AUXILIARIES = frozenset((
    "do", "does", "did",
))  # fmt: skip
LEADS = frozenset((
    "which", "what", "who", "list", "name", "show", "find", "give", "tell", "me", "us",
    "please", "how", "many", "are", "is", "there", "i", "want",
))  # fmt: skip
"""Begin a question."""
