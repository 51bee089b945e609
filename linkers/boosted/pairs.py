"""Mentions and their candidates, laid flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pairs"]

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Mentions and their candidates, flat.

    Attributes:
        rows: ``(P,)`` which mention, ascending.
        ids: ``(P,)`` which entity.
        starts: ``(n,)`` where the candidates of each mention begin.
    """

    rows: Ids
    ids: Ids
    starts: Ids

    @classmethod
    def of(cls, candidates: Sequence[Ids]) -> Pairs:
        """Lay the candidates of mentions one after the other; each has at least one."""
        sizes = np.array([len(ids) for ids in candidates], dtype=np.int64)
        ids = np.concatenate(candidates) if len(candidates) else np.zeros(0, dtype=np.int64)
        return cls(
            rows=np.repeat(np.arange(len(sizes)), sizes), ids=ids, starts=np.cumsum(sizes) - sizes
        )
