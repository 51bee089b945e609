"""The words of flag descriptions: which noun names which shape, which word which plain colour."""

from __future__ import annotations

import re

__all__ = ["BORDERS", "COLOURS", "INNER", "LABELS", "MODIFIER_STOPS", "NOUNS", "NUMBERS", "tokens"]

LABELS = (
    "band",
    "bird",
    "crescent",
    "cross",
    "disc",
    "edge",
    "emblem",
    "field",
    "lion",
    "other",
    "rectangle",
    "shield",
    "star",
    "sun",
    "triangle",
)
"""What a region can be; ``other`` is everything that has no word here."""


def _plural(table: dict[str, str]) -> dict[str, str]:
    result = dict(table)
    for word, label in table.items():
        ending = "es" if word.endswith(("s", "sh", "x")) else "s"
        result[word + ending] = label
    return result


NOUNS = _plural(
    {
        "band": "band",
        "stripe": "band",
        "star": "star",
        "pentagram": "star",
        "pentacle": "star",
        "hexagram": "star",
        "crescent": "crescent",
        "disk": "disc",
        "disc": "disc",
        "triangle": "triangle",
        "cross": "cross",
        "emblem": "emblem",
        "seal": "emblem",
        "arms": "emblem",
        "shield": "shield",
        "sun": "sun",
        "sunburst": "sun",
        "bird": "bird",
        "eagle": "bird",
        "frigatebird": "bird",
        "crane": "bird",
        "parrot": "bird",
        "lion": "lion",
        "field": "field",
        "background": "field",
        "rectangle": "rectangle",
        "square": "rectangle",
    }
)
"""Noun to label."""

COLOURS = {
    "red": "red",
    "maroon": "red",
    "crimson": "red",
    "vermilion": "red",
    "orange": "orange",
    "saffron": "orange",
    "copper-colored": "orange",
    "yellow": "yellow",
    "gold": "yellow",
    "golden": "yellow",
    "gold-colored": "yellow",
    "golden-yellow": "yellow",
    "green": "green",
    "blue": "blue",
    "navy": "blue",
    "ultramarine": "blue",
    "cobalt": "blue",
    "cerulean": "light blue",
    "aquamarine": "light blue",
    "turquoise": "light blue",
    "turquoise-blue": "light blue",
    "sky-blue": "light blue",
    "light-blue": "light blue",
    "white": "white",
    "silver": "white",
    "black": "black",
    "gray": "grey",
    "grey": "grey",
    "brown": "brown",
    "pink": "pink",
    "purple": "purple",
    "violet": "purple",
}
"""Colour word to the name that `scenes.colours` gives."""

NUMBERS = {
    word: value
    for value, word in enumerate(
        [
            "a",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
        ],
        start=1,
    )
} | {"an": 1, "one": 1}
"""Number word to number; digits are read as they are."""

MODIFIER_STOPS = frozenset(
    [
        "of",
        "in",
        "with",
        "on",
        "at",
        "by",
        "the",
        "its",
        "from",
        "to",
        "that",
        "which",
        "is",
        "are",
        "and",
        "has",
        "have",
        "as",
        "or",
        "into",
        "between",
        "near",
        "under",
        "above",
        "below",
        "over",
        "bears",
        "bearing",
        "containing",
        "contains",
        "displays",
        "displaying",
        "showing",
        "shows",
        "inside",
        "around",
        "edged",
        "outlined",
        "bordered",
        "appears",
        "appear",
        "sits",
        "surrounded",
        "surrounds",
        "holding",
        "each",
        "also",
        "across",
    ]
)
"""Words before which the words that describe a noun end."""

BORDERS = frozenset({"edged", "outlined", "bordered"})
"""Words that say that a figure has a rim; its colour follows after "in" or stands before "-"."""

INNER = re.compile(
    r"^\W*(?:and )?(?:(?:on|in|above|below|under|over|inside|around|at|beneath) )?"
    r"(?:(?:the|its|this|a|an|state|national|main|upper|third|of|principal|smaller|colonial) )*"
    r"(?:coat of arms|arms|shield|emblem|seal|crest|motto|ribbon|scroll|eagle|main colors|words?)\b"
    r"|\b(?:coat of arms|arms|shield|emblem|seal)\b[^;]*?\b(?:shows?|features?|depicts?|has|"
    r"displays?|includes?|contains?|consists?|showing|depicting|featuring|bears|supported)\b"
)
"""From where on a clause speaks of what is drawn inside a coat of arms, too small to be a part."""

_TWO_WORDS = re.compile(r"\b(light|sky|turquoise|cerulean|pale) blue\b")
_SHADES = re.compile(r"\b(?:dark|royal|bright|deep|prussian|light|chrome|ultramarine|cobalt) ")
_SOUTHERN_CROSS = re.compile(r"southern cross( constellation)?")
_RING_OF = re.compile(r"\b(?:circle|arc|ring) of\b")
_ALONE = re.compile(r"\bcoat of arms\b")
_MEANING = re.compile(
    r"\b(?:that )?(?:symboliz|represent|stands? for|known as|in the style of)[^,;]*"
)
_TOKEN = re.compile(r"[a-z0-9à-ÿ'’-]+|[,;():]|--")


def tokens(text: str) -> list[str]:
    """Return the lower-case words and punctuation of a clause.

    Compound names are made one word (``light-blue``, ``arms``), and what only sounds like a shape
    (Southern Cross, a circle of stars) is taken out.

    Example:
        >>> tokens("a Light blue disk (top)")
        ['a', 'light-blue', 'disk', '(', 'top', ')']
    """
    text = text.lower().replace("--", ",")
    text = _TWO_WORDS.sub("light-blue", text)
    text = _SHADES.sub("", text)
    text = _SOUTHERN_CROSS.sub("constellation", text)
    text = _MEANING.sub("", _RING_OF.sub("", text))
    return _TOKEN.findall(_ALONE.sub("arms", text))
