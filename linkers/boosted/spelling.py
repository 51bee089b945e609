"""How alike the letters of mentions and names are; what a surface was compared with is kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler

from linkers.boosted.entity_table import cleaned
from linkers.boosted.kept import Kept
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
_Compared = tuple[NDArray[np.int32], Floats]
_NOTHING: _Compared = (np.zeros(0, np.int32), np.zeros((0, len(SPELLING)), np.float32))


class SpellingLikeness:
    """Compares surfaces with names, letter by letter.

    Args:
        names: The names, in Latin letters; more may be appended to it.
        letters: The n-grams of the same names.
        most: Surfaces whose first comparisons are kept: two and a half kilobytes each.
    """

    def __init__(self, names: Sequence[str], letters: LetterIndex, *, most: int) -> None:
        self._names, self._letters = names, letters
        self._kept: Kept[list[_Compared]] = Kept(most)

    def of(self, surfaces: Sequence[str], looks: Looks, names: Ids, where: Ids) -> Floats:
        """Return ``(pairs, SPELLING)`` likeness.

        Args:
            surfaces: As they are written.
            looks: Of the same mentions.
            names: Which name a pair has.
            where: Which surface it has, ascending.
        """
        values = np.empty((len(names), len(SPELLING)), dtype=np.float32)
        missing = np.ones(len(names), dtype=np.bool_)
        bounds = np.searchsorted(where, np.arange(len(surfaces) + 1)).tolist()
        known = self._kept.of(surfaces, lambda fresh: [[] for _ in fresh])
        for row, compared in enumerate(known):
            if compared:
                part = slice(bounds[row], bounds[row + 1])
                there, found = compared[0]
                places = np.searchsorted(there, names[part])
                places[places == len(there)] = 0
                values[part] = found[places]
                missing[part] = there[places] != names[part]
        wanted = np.flatnonzero(missing)
        if len(wanted):
            values[wanted] = self._compare(surfaces, looks, names[wanted], where[wanted])
        self._keep(known, names, values, bounds)
        return values

    @staticmethod
    def _keep(known: list[list[_Compared]], names: Ids, values: Floats, bounds: list[int]) -> None:
        """Keep what new surfaces were compared with, as parts of two arrays for the whole block.

        Small arrays of their own would lie between the large ones that come and go with a block.
        """
        fresh = []
        for row, compared in enumerate(known):
            if not compared and bounds[row + 1] > bounds[row]:
                compared.append(_NOTHING)  # a surface may come twice
                fresh.append(row)
        parts = [slice(bounds[row], bounds[row + 1]) for row in fresh]
        orders = [part.start + np.argsort(names[part], kind="stable") for part in parts]
        order = np.concatenate([np.zeros(0, dtype=np.int64), *orders])
        kept_names, kept_values = names[order].astype(np.int32), values[order]
        start = 0
        for row, own in zip(fresh, orders, strict=True):
            part = slice(start, start + len(own))
            known[row][0] = (kept_names[part], kept_values[part])
            start = part.stop

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
