"""How like a surface is to the other words by which an entity was meant."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from linkers.boosted.kept_pairs import KeptPairs
from linkers.boosted.members import members_of
from linkers.names import latin

__all__ = ["OtherForms"]

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


class OtherForms:
    """Surfaces by which entities were meant; what a surface was compared with is kept.

    Args:
        forms: Those of each entity, at least one.
        most: Surfaces whose comparisons are kept: half a kilobyte each.

    Example:
        >>> forms, zero = OtherForms([["Peru", "Peruvian"]], most=9), np.zeros(1, np.int64)
        >>> forms.of(["Peru"], zero, zero).round(2)
        array([0.67], dtype=float32)
    """

    def __init__(self, forms: Sequence[Sequence[str]], *, most: int) -> None:
        flat = list(itertools.chain.from_iterable(forms))
        self._entities = len(forms)
        self._starts = np.cumsum([0, *map(len, forms)])
        self._number = {form: number for number, form in enumerate(dict.fromkeys(flat))}
        self._numbers = np.array([self._number[form] for form in flat], dtype=np.int64)
        self._spelled = list(map(latin, flat))
        self._kept = KeptPairs(most, width=1)

    def of(self, surfaces: Sequence[str], where: Ids, entities: Ids) -> Floats:
        """Return ``(pairs,)`` likeness to the most alike other form, in [0, 1]; 0 without one.

        Args:
            surfaces: Words.
            where: Which of them a pair has, ascending.
            entities: Which entity it has, as a place of `forms`; each once for a place of surfaces.
        """
        found = self._kept.of(
            surfaces,
            entities,
            where,
            self._entities,
            lambda asked: self._compare(surfaces, where[asked], entities[asked])[:, None],
        )
        return found[:, 0]

    def _compare(self, surfaces: Sequence[str], where: Ids, entities: Ids) -> Floats:
        places, begins, sizes = members_of(self._starts, entities)
        spelled = [latin(surface) for surface in surfaces]
        numbers = np.array([self._number.get(s, -1) for s in surfaces], dtype=np.int64)
        of = np.repeat(where, sizes)
        alike = process.cpdist(
            list(map(spelled.__getitem__, of.tolist())),
            list(map(self._spelled.__getitem__, places.tolist())),
            scorer=fuzz.ratio,
            dtype=np.float32,
        )
        alike[numbers[of] == self._numbers[places]] = 0.0
        best: Floats = (np.maximum.reduceat(alike, begins) / 100).astype(np.float32)
        return best
