"""The two sides of linking by pictures: a base of entities, and mentions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linkers.model import Mention
from linkers.visual.looks import Looks
from linkers.visual.words import WordIndex

__all__ = ["MODES", "VisualBase", "VisualMentions", "only"]

MODES = ("picture", "words", "picture and words")
"""What a mention may bring; each has weights of its own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VisualBase:
    """What is linked to.

    Attributes:
        looks: ``N`` rows, in the order of the table of `words`.
        words: Their names.
    """

    looks: Looks
    words: WordIndex


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VisualMentions:
    """Mentions with their pictures.

    Attributes:
        looks: A row a mention.
        mentions: Their words.
    """

    looks: Looks
    mentions: tuple[Mention, ...]

    @property
    def worded(self) -> NDArray[np.bool_]:
        """``(n,)`` which have words."""
        told = [bool(m.surface.strip() or m.context.strip()) for m in self.mentions]
        return np.array(told, dtype=np.bool_)

    def take(self, rows: NDArray[np.int64]) -> VisualMentions:
        """Return some of them."""
        kept = tuple(self.mentions[row] for row in rows.tolist())
        return VisualMentions(looks=self.looks.take(rows), mentions=kept)


def only(mode: str, mentions: VisualMentions) -> VisualMentions:
    """Return mentions as if they had brought their pictures, their words, or both."""
    looks, told = mentions.looks, mentions.mentions
    if mode == "words":
        looks = replace(looks, present=np.zeros_like(looks.present))
    if mode == "picture":
        told = tuple(replace(m, surface="", context="", start=None, end=None) for m in told)
    return VisualMentions(looks=looks, mentions=told)
