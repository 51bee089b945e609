"""What a flag's description says is on it: counts here, labels and colours by `scenes.claims`.

A text that only points to another flag is left out.
"""

from __future__ import annotations

import re

from scenes.claims import LABELS, colours_of, labels_of
from scenes.lexicon import NUMBERS
from scenes.wording import read_description

__all__ = ["LABELS", "POINTS_ELSEWHERE", "colours_of", "labels_of", "stars_of", "stripes_of"]

POINTS_ELSEWHERE = re.compile(r"^the flag of .* is used$")

_COUNTED_BANDS = re.compile(
    r"\b([a-z]+|\d+) (?:equal |unequal |expanding |equal-width )*(?:horizontal |vertical )"
    r"(?:[a-z]+ )?(?:bands|stripes)\b"
)


def stars_of(text: str) -> int | None:
    """Return how many stars the text counts; None if it names none, or no number of some."""
    stars = [m for m in read_description(text).mentions if m.label == "star"]
    if not stars or any(mention.vague for mention in stars) or "smaller ones" in text:
        return None
    return sum(mention.count for mention in stars)


def stripes_of(text: str) -> int | None:
    """Return how many bands the text counts, where it begins with their number."""
    found = _COUNTED_BANDS.search(text.lower())
    if found is None:
        return None
    word = found.group(1)
    return int(word) if word.isdigit() else NUMBERS.get(word)
