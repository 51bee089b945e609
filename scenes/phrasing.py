"""The relations that a clause of a flag description states between the shapes it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scenes.lexicon import BORDERS, COLOURS

__all__ = ["DESCRIBED_PREDICATES", "relations_of", "rim_colour"]

DESCRIBED_PREDICATES = (
    "above",
    "below",
    "centred_on",
    "charged_with",
    "edged_by",
    "in_corner_of",
    "left_of",
)
"""The predicates that descriptions name often enough to learn from."""

Triple = tuple[int, str, int]

_CARRIES = frozenset(
    [
        "with",
        "has",
        "bearing",
        "bears",
        "displays",
        "displaying",
        "contains",
        "containing",
        "showing",
        "shows",
        "have",
    ]
)
_BETWEEN = {
    ("above",): "above",
    ("over",): "above",
    ("below",): "below",
    ("under",): "below",
    ("centered", "on"): "centred_on",
    ("centered", "in"): "centred_on",
    ("centered", "over"): "centred_on",
    ("center", "of"): "centred_on",
    ("middle", "of"): "centred_on",
    ("left", "of"): "left_of",
}


def relations_of(
    words: Sequence[str],
    nouns: Mapping[int, int],
    mentions: Sequence[object],
    ground: int | None,
) -> list[Triple]:
    """Return the relations that a clause states.

    Args:
        words: Words and punctuation of the clause.
        nouns: Place of a noun among the words to the number of its mention.
        mentions: All mentions so far.
        ground: The mention of the field, if there is one.

    Returns:
        Subject mention, predicate, object mention, in the order of the text.
    """
    found: list[Triple] = []
    places = sorted(nouns)
    for order, place in enumerate(places):
        following = places[order + 1] if order + 1 < len(places) else len(words)
        gap = list(words[place + 1 : following])
        subject = nouns[place]
        if order + 1 < len(places):
            found += _between(gap, subject, nouns[following])
        if not any(triple[:2] == (subject, "centred_on") for triple in found):
            found += _alone(gap, subject, ground)
    found += _turned(words, nouns, places)
    return [(s, p, o) for s, p, o in found if s != o and max(s, o) < len(mentions)]


def _between(gap: list[str], subject: int, other: int) -> list[Triple]:
    """What stands between two nouns: "star centered on the band", "disk that has a star"."""
    plain = [word for word in gap if word not in (",", "the", "a", "an")]
    for pattern, predicate in _BETWEEN.items():
        # further on, the words speak of something that has no label ("a chakra centered on …")
        for start in range(min(len(plain) - len(pattern) + 1, 4)):
            if {"with", "outside", "where"} & set(plain[:start]):
                break
            if tuple(plain[start : start + len(pattern)]) == pattern:
                return [(subject, predicate, other)]
    if "right" in plain and "of" in plain:
        return [(other, "left_of", subject)]
    if _CARRIES & set(plain[:6]) and "," not in gap[:2] and not BORDERS & set(plain):
        return [(subject, "charged_with", other)]
    return []


def _alone(gap: list[str], subject: int, ground: int | None) -> list[Triple]:
    """What is said of one noun against the field: in the corner, in the centre."""
    if ground is None or ground == subject:
        return []
    text = " ".join(gap[:9])
    if "-left corner" in text or "-left quadrant" in text or "-right corner" in text:
        return [(subject, "in_corner_of", ground)]
    if "center" in text and not {"on", "over", "outside", "with"} & set(gap[:9]):
        return [(subject, "centred_on", ground)]
    return []


def _turned(words: Sequence[str], nouns: Mapping[int, int], places: list[int]) -> list[Triple]:
    """Read "centered in the white band is the emblem", where the object comes first."""
    for index in range(len(words) - 2):
        if words[index] != "centered" or words[index + 1] not in ("in", "on"):
            continue
        after = [place for place in places if place > index]
        before = [place for place in places if place < index]
        if len(after) > 1 and not (before and words[index - 1] in ("is", "are", ",")):
            between = words[after[0] + 1 : after[1]]
            if {"is", "are"} & set(between):
                return [(nouns[after[1]], "centred_on", nouns[after[0]])]
    return []


def rim_colour(words: Sequence[str], place: int) -> str | None:
    """Return the colour of "edged in white" when it follows within a few words of a noun."""
    for index in range(place + 1, min(place + 4, len(words) - 2)):
        if words[index] in BORDERS and words[index + 1] == "in":
            return next((COLOURS[w] for w in words[index + 2 : index + 4] if w in COLOURS), None)
    return None
