"""A probability of something about a ranked list: by a forest, by one of its marks, or a share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation import Isotonic, Platt
from kg.errors import InputError
from linkers.boosted.trees import Forest

__all__ = ["BEST", "LEAD", "Sure"]

BEST, LEAD = 0, 2
"""Marks that stand in for forests: the best score tells NIL, its lead tells whether it is right."""

_MARK = "mark"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sure:
    """A probability of something about a list.

    Attributes:
        forest: None where no forest was grown.
        calibration: From the forest's log-odds, from the mark, or from 0 to probabilities.
        mark: Column of the marks that stands in for a forest; None where it is the same for all.
    """

    forest: Forest | None
    calibration: Isotonic | Platt
    mark: int | None = None

    def probabilities(self, marks: NDArray[np.float32]) -> Floats:
        """Return ``(n,)`` probabilities."""
        if self.forest is not None:
            raw = self.forest.scores(marks)
        elif self.mark is not None:
            raw = marks[:, self.mark].astype(np.float64)
        else:
            raw = np.zeros(len(marks))
        return self.calibration.apply(raw)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what `of` needs beside the calibration."""
        if self.forest is not None:
            return self.forest.arrays()
        return {} if self.mark is None else {_MARK: np.array([self.mark], dtype=np.int64)}

    @classmethod
    def of(cls, calibration: Isotonic | Platt, arrays: Mapping[str, NDArray[Any]]) -> Sure:
        """Read what `arrays` gave.

        Raises:
            InputError: It is nothing of the kind.
        """
        if _MARK not in arrays:
            forest = Forest.of_arrays(arrays) if arrays else None
            return cls(forest=forest, calibration=calibration)
        mark = int(arrays[_MARK][0])
        if mark not in (BEST, LEAD):
            raise InputError(f"no mark of a list stands at {mark}")
        return cls(forest=None, calibration=calibration, mark=mark)

    @classmethod
    def always(cls, share: float) -> Sure:
        """Return a probability that is the same for all."""
        return cls(forest=None, calibration=Isotonic(scores=(0.0,), probabilities=(share,)))
