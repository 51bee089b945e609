"""Do the words and the picture of a mention mean two entities? Each is asked alone.

The conflict is the probability that they mean different entities, were they independent witnesses:
the sum of t_i v_j over entities i other than j, where t and v are what the linker says of the text
alone and of the picture alone (Dempster's conflict). What either gives to NIL is no conflict.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import TypeVar

from linkers.model import Mention

__all__ = ["IN_CONFLICT", "apart", "conflict"]

IN_CONFLICT = 0.5
"""Conflict from which on two modalities are said to disagree: more likely than not."""

Key = TypeVar("Key", bound=Hashable)


def apart(mention: Mention) -> tuple[Mention, Mention] | None:
    """Return a mention's words and its picture as two mentions; None if it lacks either.

    Example:
        >>> words, picture = apart(Mention(id="1", surface="Peru", image="a.png"))
        >>> words.image, picture.surface
        (None, '')
    """
    if mention.image is None or not (mention.surface.strip() or mention.context.strip()):
        return None
    words = replace(mention, image=None, document=None)
    shown = Mention(id=mention.id, surface="", image=mention.image)
    return words, shown


def conflict(text: Mapping[Key, float], picture: Mapping[Key, float]) -> float:
    """Return the probability that text and picture mean different entities, in [0, 1].

    Args:
        text: Probabilities of entities by the text alone; what is missing to 1 is NIL's.
        picture: The same by the picture alone.

    Example:
        >>> conflict({"PE": 0.9}, {"PE": 0.1, "CL": 0.8})
        0.72
    """
    agreed = sum(value * picture.get(key, 0.0) for key, value in text.items())
    both = sum(text.values()) * sum(picture.values())
    return round(min(1.0, max(0.0, both - agreed)), 6)
