"""Which entities are looked at closely: a union over sources, recall first, at most 64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkers.evidence import SIGNALS

__all__ = ["SOURCES", "candidates"]

SOURCES: dict[str, tuple[tuple[str, int], ...]] = {
    "names": (
        ("exact name", 24),
        ("normalised name", 24),
        ("Latin n-grams", 12),
        ("plain n-grams", 8),
        ("sound n-grams", 8),
    ),
    "texts": (
        ("name vector", 8),
        ("description by surface", 6),
        ("description by context", 12),
        ("words of facts", 10),
    ),
    "pictures": (
        ("picture patches", 12),
        ("picture vector", 12),
        ("colours in place", 12),
        ("shades in place", 12),
        ("share of colours", 6),
    ),
    "graph": (
        ("named fact", 24),
        ("common neighbours", 14),
        ("common facts", 10),
        ("like a fact", 6),
        ("prior", 8),
    ),
}
"""Signals of each source and how many entities each may name."""

_QUOTAS = [(SIGNALS.index(name), quota) for group in SOURCES.values() for name, quota in group]


def candidates(rows: NDArray[np.float32], *, limit: int = 64) -> list[int]:
    """Return ids of candidates, in the order in which the sources named them.

    The first of every source come first, then the seconds, and so on, so that a limit cuts the
    weakest of each. Only values above 0 count; ties go by id.

    Args:
        rows: ``(signals, N)``.
        limit: Most candidates.
    """
    lists: list[list[int]] = []
    for signal, quota in _QUOTAS:
        values = rows[signal]
        count = min(quota, int(np.count_nonzero(values > 0)))
        if count:
            lists.append(np.argsort(-values, kind="stable")[:count].tolist())
    found: dict[int, None] = {}
    for place in range(max(map(len, lists), default=0)):
        for ranked in lists:
            if place < len(ranked):
                found.setdefault(ranked[place])
                if len(found) == limit:
                    return list(found)
    return list(found)
