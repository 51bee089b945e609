"""A mention as the decision sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Case"]

_Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A mention as the decision sees it.

    Attributes:
        signals: ``(C, signals)``; C may be 0.
        marks: ``(marks,)`` of the mention itself.
        gold: Place of the right candidate; -1 for NIL (or if it is not among the candidates).
        weight: Weight in training.
    """

    signals: _Array
    marks: _Array
    gold: int = -1
    weight: float = 1.0
