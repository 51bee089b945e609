"""How alike the letters of mentions and names are; what a surface was compared with is kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler

from linkers.boosted.entity_table import cleaned
from linkers.boosted.kept_pairs import KeptPairs
from linkers.boosted.letters import LetterIndex
from linkers.boosted.looks import Looks
from linkers.names import latin

__all__ = ["SPELLING", "SpellingLikeness"]

SPELLING = (
    "ratio",
    "set ratio",
    "part ratio",
    "Jaro-Winkler",
    "letters",
    "begins name",
    "ends name",
)
"""Columns of `SpellingLikeness.of`, each in [0, 1]."""

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


class SpellingLikeness:
    """Compares surfaces with names, letter by letter.

    Args:
        names: The names, in Latin letters; more may be appended to it.
        letters: The n-grams of the same names.
        most: Surfaces whose comparisons are kept: two and a half kilobytes each, seldom twice that.
    """

    def __init__(self, names: Sequence[str], letters: LetterIndex, *, most: int) -> None:
        self._names, self._letters = names, letters
        self._kept = KeptPairs(most, width=len(SPELLING))

    def of(self, surfaces: Sequence[str], looks: Looks, names: Ids, where: Ids) -> Floats:
        """Return ``(pairs, SPELLING)`` likeness.

        Args:
            surfaces: As they are written.
            looks: Of the same mentions.
            names: Which name a pair has.
            where: Which surface it has, ascending.
        """
        return self._kept.of(
            surfaces,
            names,
            where,
            len(self._names),
            lambda asked: self._compare(surfaces, looks, names[asked], where[asked]),
        )

    def _compare(self, surfaces: Sequence[str], looks: Looks, names: Ids, where: Ids) -> Floats:
        spelled = [latin(cleaned(surface)) for surface in surfaces]
        left = [spelled[row] for row in where.tolist()]
        right = [self._names[name] for name in names.tolist()]
        percent = [
            process.cpdist(left, right, scorer=scorer, dtype=np.float32) / 100
            for scorer in (fuzz.ratio, fuzz.token_set_ratio, fuzz.partial_ratio)
        ]
        likeness = process.cpdist(left, right, scorer=JaroWinkler.similarity, dtype=np.float32)
        both = list(zip(left, right, strict=True))
        stands = [
            np.array([name.startswith(f"{surface} ") for surface, name in both], dtype=np.float32),
            np.array([name.endswith(f" {surface}") for surface, name in both], dtype=np.float32),
        ]
        letters = self._letters.of_names(looks.spelled, where, names)
        return np.stack([*percent, likeness, letters, *stands], axis=1)
