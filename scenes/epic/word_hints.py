"""What the words of a predicate's name say of two boxes: directions, contact, postures, actions.

A sentence encoder puts "above" beside "below" and "left" beside "right": they stand in like
sentences. So names are also described by a small table of English words, written with VRD's list of
predicates in view, novel ones among them, but none of its images. The hint of a name is the sum of
its words', cut to [−1, 1]; a word that is not in the table takes the hint of the nearest word that
is, if one is near.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from encoders.protocols import TextEncoder

__all__ = ["HINTS", "word_hints"]

Floats = NDArray[np.float64]

HINTS = (
    "up", "right", "front", "contact", "inside", "near", "part", "action", "hand", "posture",
    "motion", "vehicle", "attention",
)  # fmt: skip
"""What is told of a name: −1 to 1 each; up, right, front, inside have an opposite."""

_WORDS: dict[str, str] = {
    # where the subject is
    "on": "up contact", "top": "up contact", "above": "up", "over": "up", "under": "-up",
    "below": "-up", "beneath": "-up", "left": "-right", "right": "right", "behind": "-front",
    "front": "front", "in": "inside", "inside": "inside", "contain": "-inside", "outside": "near",
    "next": "near", "beside": "near", "near": "near", "by": "near", "at": "near",
    "adjacent": "near", "against": "near contact", "across": "near front", "past": "near motion",
    "taller": "up",
    # what belongs to it
    "has": "part -inside", "with": "part", "wear": "part action -inside", "attach": "contact",
    "cover": "up contact",
    # what it does
    "hold": "action contact hand", "carry": "action contact hand", "touch": "action contact hand",
    "use": "action hand", "pull": "action hand", "eat": "action hand", "hit": "action hand",
    "feed": "action hand", "play": "action hand", "kick": "action",
    "ride": "action up contact posture", "drive": "action vehicle", "park": "vehicle",
    "sit": "posture", "stand": "posture", "sleep": "posture", "lie": "posture",
    "lying": "posture", "lean": "posture contact", "rest": "posture contact",
    "walk": "posture motion", "skate": "posture motion", "fly": "motion",
    "follow": "motion -front attention", "look": "attention", "watch": "attention",
    "face": "attention", "talk": "attention",
}  # fmt: skip

# little words that say nothing beside the noun of place: "on the left of", "in the front of"
_PLACES = frozenset({"left", "right", "front", "top"})
_SMALL = frozenset({"on", "in", "the", "of", "to", "than", "at"})
_NEAR = 0.6  # least cosine at which an unknown word takes the hint of a known one


def word_hints(names: Sequence[str], encoder: TextEncoder) -> Floats:
    """Return ``(names, len(HINTS))``.

    Args:
        names: Of predicates; any words.
        encoder: Finds known words near unknown ones.

    Example:
        >>> from encoders import TinyTextEncoder
        >>> both = word_hints(["on the left of", "sit under"], TinyTextEncoder())
        >>> [HINTS[n] for n in both[0].nonzero()[0]], [HINTS[n] for n in both[1].nonzero()[0]]
        (['right'], ['up', 'posture'])
    """
    told = [_telling(name) for name in names]
    unknown = sorted({word for words in told for word in words} - _WORDS.keys() - _SMALL)
    table = {word: _hint(said) for word, said in _WORDS.items()} | _guessed(unknown, encoder)
    found = np.zeros((len(names), len(HINTS)))
    for row, words in zip(found, told, strict=True):
        for word in words:
            row += table.get(word, 0.0)
    return np.clip(found, -1.0, 1.0)


def _telling(name: str) -> list[str]:
    words = name.casefold().split()
    places = [word for word in words if word in _PLACES]
    return [word for word in words if word not in _SMALL] if places else words


def _hint(said: str) -> Floats:
    hint = np.zeros(len(HINTS))
    for word in said.split():
        hint[HINTS.index(word.removeprefix("-"))] = -1.0 if word.startswith("-") else 1.0
    return hint


def _guessed(words: Sequence[str], encoder: TextEncoder) -> dict[str, Floats]:
    if not words:
        return {}
    known = list(_WORDS)
    cosines = encoder.encode(words).pooled @ encoder.encode(known).pooled.T
    nearest = cosines.argmax(axis=1)
    return {
        word: _hint(_WORDS[known[place]])
        for word, place, near in zip(words, nearest, cosines.max(axis=1), strict=True)
        if near >= _NEAR
    }
