"""What a description claims of its picture: labels and colours, by a table of words.

Two readings of labels. In the plain one every word of the table counts. In the careful one, what
stands inside a coat of arms or on another flag that is a part of this one ("with the UK flag in the
upper-left quadrant") is left open: it is neither right nor wrong to tell it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from scenes.lexicon import COLOURS as COLOUR_WORDS
from scenes.lexicon import tokens
from scenes.tagging.evidence import COLOURS
from scenes.wording import read_description

__all__ = ["LABELS", "colours_of", "labels_of"]

LABELS: Mapping[str, str] = {
    "star": r"stars?|pentagrams?|pentacles?|hexagrams?|southern cross",
    "crescent": r"crescents?",
    "cross": r"(?<!southern )cross(?:es)?",
    "disc": r"dis[ck]s?|circles?(?! of\b)",
    "sun": r"suns?|sunbursts?",
    "triangle": r"triangles?",
    "stripe": r"stripes?|bands?",
    "emblem": r"emblems?|coats? of arms|arms|shields?|seals?",
}
"""Words that name each label. The Southern Cross is stars; a circle of stars is no disc."""


_IN_LEXICON = {"stripe": "band"}


def labels_of(text: str, *, careful: bool) -> NDArray[np.int8]:
    """Return ``(len(LABELS),)``: 1 on the flag, 0 not, -1 left open."""
    said = read_description(text)
    found = []
    for label, words in LABELS.items():
        named = re.search(rf"\b(?:{words})\b", text.lower()) is not None
        is_open = careful and _IN_LEXICON.get(label, label) in said.unclear
        if label == "emblem" and "shield" in said.labels:
            is_open = False
        found.append(-1 if is_open else int(named))
    return np.array(found, dtype=np.int8)


def colours_of(text: str) -> NDArray[np.bool_]:
    """Return ``(len(COLOURS),)``: which colours the text names anywhere."""
    words = [part for word in tokens(text) for part in _parts(word)]
    named = {COLOUR_WORDS[word] for word in words if word in COLOUR_WORDS}
    return np.array([bool(named & set(members)) for members in COLOURS.values()])


def _parts(word: str) -> Sequence[str]:
    return [word] if word in COLOUR_WORDS else word.split("-")
