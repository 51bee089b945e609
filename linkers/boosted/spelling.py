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
_ENOUGH = 128  # names compared with a surface, after which no more are kept


class SpellingLikeness:
    """Compares surfaces with names, letter by letter.

    Args:
        names: The names, in Latin letters; more may be appended to it.
        letters: The n-grams of the same names.
        most: Surfaces whose comparisons are kept: two and a half kilobytes each, seldom twice that.
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
        # what it needs takes half a second to come, and most commands link nothing
        from linkers.boosted.place_loops import places

        bounds = np.searchsorted(where, np.arange(len(surfaces) + 1))
        compared = self._kept.of(surfaces, lambda fresh: [[] for _ in fresh])
        parts = [part for group in compared for part in group]
        known, values = (np.concatenate(both) for both in zip(_NOTHING, *parts, strict=True))
        sizes = [sum(len(there) for there, _ in group) for group in compared]
        place = places(known, np.cumsum([0, *sizes]), names, bounds, len(self._names))
        found: Floats = np.empty((len(names), len(SPELLING)), dtype=np.float32)
        held, wanted = np.flatnonzero(place >= 0), np.flatnonzero(place < 0)
        found[held] = values[place[held]]
        if len(wanted):
            fresh = self._compare(surfaces, looks, names[wanted], where[wanted])
            found[wanted] = fresh
            self._keep(compared, names[wanted].astype(np.int32), fresh, where[wanted])
        return found

    @staticmethod
    def _keep(compared: list[list[_Compared]], names: Ids, values: Floats, where: Ids) -> None:
        """Keep what surfaces were compared with, as parts of two arrays for the whole block.

        Small arrays of their own would lie between the large ones that come and go with a block.
        """
        rows, starts = np.unique(where, return_index=True)
        ends = [*starts[1:].tolist(), len(where)]
        told: set[int] = set()  # a surface may come twice
        for row, start, end in zip(rows.tolist(), starts.tolist(), ends, strict=True):
            group = compared[row]
            if id(group) not in told and sum(len(there) for there, _ in group) < _ENOUGH:
                told.add(id(group))
                group.append((names[start:end], values[start:end]))

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
