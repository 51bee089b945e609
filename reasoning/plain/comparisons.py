"""Numbers and yes-or-no attributes in a question: "larger than a million", "landlocked"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reasoning.plain.lexicon import Lexicon, content
from reasoning.plain.spots import Spot
from reasoning.query import Compare, Comparison

__all__ = ["compared", "is_flag", "says_more"]

_SAID: tuple[tuple[str, Comparison], ...] = (
    ("at least", ">="), ("at most", "<="), ("no more than", "<="), ("no less than", ">="),
    ("more than", ">"), ("larger than", ">"), ("greater than", ">"), ("bigger than", ">"),
    ("higher than", ">"), ("longer than", ">"), ("less than", "<"), ("smaller than", "<"),
    ("fewer than", "<"), ("lower than", "<"), ("shorter than", "<"), ("over", ">"), ("above", ">"),
    ("exceeding", ">"), ("under", "<"), ("below", "<"), ("equal to", "="), ("exactly", "="),
)  # fmt: skip


def says_more(said: str) -> Comparison | None:
    """Return the comparison that some words say, the longest first.

    Example:
        >>> says_more("with an area of at least")
        '>='
    """
    text = f" {said} "
    return next((sign for words, sign in _SAID if f" {words} " in text), None)


def is_flag(lexicon: Lexicon, attribute: str) -> bool:
    """Tell whether an attribute says yes or no."""
    values = lexicon.snapshot.attributes[attribute].values()
    return all(isinstance(value, bool) for value in values)


def compared(
    lexicon: Lexicon, spots: Sequence[Spot], at: int, subject: str | None
) -> tuple[Compare, int] | None:
    """Read a comparison with a number that begins at a spot.

    Args:
        lexicon: What words mean.
        spots: The question.
        at: Where it begins.
        subject: Label of what is compared.

    Returns:
        It and the place after it, or None if none begins here.
    """
    end = at
    while end < len(spots) and spots[end].kind in ("word", "attribute"):
        if spots[end].text in ("and", "or", "but"):
            return None
        end += 1
    if end >= len(spots) or spots[end].kind != "number":
        return None
    said = " ".join(spot.text for spot in spots[at:end])
    sign = says_more(said)
    after = end + 1
    units: list[str] = []
    while after < len(spots) and spots[after].kind == "word" and len(units) < 3:
        if not content([spots[after].text]):
            break
        units.append(spots[after].text)
        after += 1
    named = [spot.name for spot in spots[at:end] if spot.kind == "attribute"]
    numeric = [name for name in _numeric(lexicon, subject) if not named or name in named]
    if sign is None or not numeric:
        return None
    attribute = _nearest(lexicon, f"{said} {' '.join(units)}", numeric)
    return Compare(attribute, sign, spots[end].value), after


def _numeric(lexicon: Lexicon, subject: str | None) -> list[str]:
    graph = lexicon.snapshot
    return [
        name
        for name, values in sorted(graph.attributes.items())
        if any(isinstance(v, int | float) and not isinstance(v, bool) for v in values.values())
        and (subject is None or any(graph.label_of(entity) == subject for entity in values))
    ]


def _nearest(lexicon: Lexicon, said: str, names: list[str]) -> str:
    if len(names) == 1 or lexicon.encode is None:
        return names[0]
    vectors = lexicon.encoded([said, *(name.replace("_", " ") for name in names)])
    return names[int(np.argmax(vectors[1:] @ vectors[0]))]
