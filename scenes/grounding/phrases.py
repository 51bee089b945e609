"""The words of a phrase that points at something: colour, noun, place, size, order, and on what.

The English of flag descriptions, as `scenes.wording` reads it; a word that says nothing here is
kept apart, so that whoever asked can be told which part of the phrase counted for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from kg.errors import InputError
from scenes.lexicon import COLOURS, LABELS, NOUNS, NUMBERS, tokens
from scenes.position_prompts import PLACES, Axis

__all__ = ["Order", "Phrase", "read_phrase"]

MAX_CHARACTERS = 500
"""Longest phrase that is read."""

_CENTRE = frozenset({"center", "centre", "middle", "centered", "central", "centred"})
_SIZES = {
    "large": 1,
    "larger": 1,
    "largest": 1,
    "big": 1,
    "bigger": 1,
    "biggest": 1,
    "wide": 1,
    "small": -1,
    "smaller": -1,
    "smallest": -1,
    "tiny": -1,
    "narrow": -1,
}
_DIRECTIONS = {"horizontal": 1, "vertical": -1}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
_ONTO = frozenset({"in", "on", "inside", "within", "of", "over"})
_EXTRA_NOUNS = {
    "canton": "rectangle",
    "coat": "emblem",
    "crest": "emblem",
    "circle": "disc",
    "moon": "crescent",
    "fimbriation": "edge",
    "border": "edge",
    "edge": "edge",
}
_SILENT = frozenset(
    [
        "the",
        "a",
        "an",
        "part",
        "side",
        "corner",
        "half",
        "at",
        "with",
        "to",
        "is",
        "that",
        "from",
        "pointed",
        "figure",
        "shape",
        "region",
        "area",
        "flag",
        "picture",
        "image",
        "edges",
        ",",
    ]
)
"""Words that may stand in a phrase and change nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The n-th along an axis.

    Attributes:
        axis: From left to right or from top to bottom.
        rank: From 1; negative from the other end.
    """

    axis: Axis
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """What a phrase says of the thing it means.

    Attributes:
        label: One of `scenes.lexicon.LABELS`, None if no noun of them is in it.
        colours: Plain names.
        places: Wanted centre by axis, 0 left or top, 0.5 middle, 1 right or bottom.
        size: 1 for a large one, -1 for a small one, 0 if nothing is said.
        direction: 1 lying (horizontal), -1 standing (vertical), 0 if nothing is said.
        order: The n-th of its like, if it says so.
        plural: Whether all of its like are meant together.
        on: The thing that it lies in or on, if another noun says so.
        unread: Words that count for nothing.
    """

    label: str | None = None
    colours: tuple[str, ...] = ()
    places: tuple[tuple[Axis, float], ...] = ()
    size: int = 0
    direction: int = 0
    order: Order | None = None
    plural: bool = False
    on: Phrase | None = None
    unread: tuple[str, ...] = ()


def read_phrase(text: str) -> Phrase:
    """Read a phrase.

    Args:
        text: At most `MAX_CHARACTERS` characters.

    Raises:
        InputError: It is empty, too long, or says nothing that a region could agree with.

    Example:
        >>> phrase = read_phrase("the small white star in the upper left")
        >>> phrase.label, phrase.colours, phrase.size, phrase.places
        ('star', ('white',), -1, (('y', 0.0), ('x', 0.0)))
        >>> read_phrase("the yellow disc on the red band").on.label
        'band'
    """
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"a phrase of {len(text):,} characters, at most {MAX_CHARACTERS}")
    words = [part for word in tokens(text) for part in _parted(word)]
    found = _read(words)
    if found == Phrase(unread=found.unread):
        raise InputError(
            f"the phrase names no colour, shape, place or size: {text[:80]!r}",
            hint=f'for example "the red star on the left"; shapes: {", ".join(LABELS)}',
        )
    return found


def _parted(word: str) -> list[str]:
    """Split ``upper-left`` and ``five-pointed``, but no name of a colour."""
    return [word] if word in COLOURS else word.split("-")


def _read(words: list[str]) -> Phrase:
    label: str | None = None
    plural = False
    colours: list[str] = []
    places: dict[Axis, float] = {}
    size = direction = 0
    rank: int | None = None
    on: Phrase | None = None
    unread: list[str] = []
    for index, word in enumerate(words):
        noun = NOUNS.get(word) or _EXTRA_NOUNS.get(word)
        if noun is not None and label is None:
            label = noun
            plural = word.endswith("s") and word not in ("arms", "cross")
        elif noun is not None:
            if noun != label:
                on = on or _read(words[_onset(words, index) :])
                break
        elif word in COLOURS:
            if label is not None and _another_noun(words, index, label):
                on = _read(words[_onset(words, index) :])
                break
            colours.append(COLOURS[word])
        elif word in PLACES:
            axis, wanted = PLACES[word]
            places.setdefault(axis, wanted)
        elif word in _CENTRE:
            _to_centre(places, words, index)
        elif word in _SIZES:
            size = _SIZES[word]
        elif word in _DIRECTIONS:
            direction = _DIRECTIONS[word]
        elif word in _ORDINALS:
            rank = _ORDINALS[word]
        elif word not in _SILENT and word not in _ONTO and word not in NUMBERS:
            unread.append(word)
    return Phrase(
        label=label,
        colours=tuple(dict.fromkeys(colours)),
        places=() if rank is not None else tuple(places.items()),
        size=size,
        direction=direction,
        order=None if rank is None else _order(rank, places),
        plural=plural and rank is None,
        on=on,
        unread=tuple(unread),
    )


def _onset(words: list[str], index: int) -> int:
    """Where the part of the phrase begins that speaks of the second noun: after its "on"."""
    starts = [n for n in range(index) if words[n] in _ONTO]
    return starts[-1] + 1 if starts else index


def _another_noun(words: list[str], index: int, label: str) -> bool:
    """Whether the colour at a place belongs to a further noun ("… on the red band")."""
    following = (NOUNS.get(word) or _EXTRA_NOUNS.get(word) for word in words[index + 1 : index + 4])
    return any(noun is not None and noun != label for noun in following)


def _to_centre(places: dict[Axis, float], words: list[str], index: int) -> None:
    """Read "upper center" as no word on the height, and "in the center" as one on both."""
    beside = {PLACES[w][0] for w in words[max(index - 1, 0) : index + 2] if w in PLACES}
    free: list[Axis] = [axis for axis in ("x", "y") if axis not in beside]
    for axis in free:
        places.setdefault(axis, 0.5)


def _order(rank: int, places: dict[Axis, float]) -> Order:
    """Count from the side that is named, else from the left or the top."""
    axis: Axis = "x" if "x" in places else "y"
    end = places.get(axis, 0.0)
    return Order(axis=axis, rank=-rank if end == 1.0 else rank)
