"""Which entities are looked at closely: a union over sources, recall first, at most 64."""

from __future__ import annotations

from collections.abc import Iterator

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
        ("name by context", 8),
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
        ("near the middle", 10),
        ("near one named", 8),
        ("like a fact", 6),
        ("prior", 8),
    ),
}
"""Signals of each source and how many entities each may name."""

_SEARCHED = 16  # entities that a learnt search may name
_NAMES = [SIGNALS.index(name) for name in ("normalised name", "Latin n-grams")]
_NAMED = 0.5  # below, no name of the base is like the surface, and the text decides
_BY_TEXT = (
    "near the middle",
    "common neighbours",
    "words of facts",
    "description by context",
    "name by context",
    "near one named",
    "common facts",
)
_QUOTAS = [(SIGNALS.index(name), quota) for group in SOURCES.values() for name, quota in group]


def candidates(
    rows: NDArray[np.float32], *, limit: int = 64, searched: NDArray[np.float32] | None = None
) -> list[int]:
    """Return ids of candidates, in the order in which the sources named them.

    The first of every source come first, then the seconds, and so on, so that a limit cuts the
    weakest of each. Only values above 0 count; ties go by id. Where no name is like the surface,
    the sources that read the text fill the rest.

    Args:
        rows: ``(signals, N)``.
        limit: Most candidates.
        searched: ``(N,)`` scores of one more source, a search that was learnt.
    """
    named = [_ranked(rows[signal], quota) for signal, quota in _QUOTAS]
    if searched is not None:
        named.append(_ranked(searched, _SEARCHED))
    found = dict.fromkeys(_merged(named))
    if len(found) < limit and rows[_NAMES].max(initial=0.0) < _NAMED:
        further = [_ranked(rows[SIGNALS.index(name)], limit) for name in _BY_TEXT]
        found.update(dict.fromkeys(_merged(further)))
    return list(found)[:limit]


def _ranked(values: NDArray[np.float32], quota: int) -> list[int]:
    count = min(quota, int(np.count_nonzero(values > 0)))
    found: list[int] = np.argsort(-values, kind="stable")[:count].tolist()
    return found


def _merged(lists: list[list[int]]) -> Iterator[int]:
    """Yield the first of each list, then the second of each, and so on."""
    for place in range(max(map(len, lists), default=0)):
        yield from (ranked[place] for ranked in lists if place < len(ranked))
