"""Ranked lists made one: places are fused, never scores, which do not compare between lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from api.search.schemas import ListName
from kg.model import EntityKey

__all__ = ["C", "fused"]

C = 5
"""Rank constant of the fusion (Cormack, Clarke and Büttcher, SIGIR 2009); chosen on valid."""


def fused(
    lists: Mapping[ListName, Sequence[EntityKey]], weights: Mapping[ListName, float]
) -> list[tuple[EntityKey, float]]:
    """Fuse ranked lists; ties in the order of keys.

    Args:
        lists: Keys, best first.
        weights: Of the lists.

    Returns:
        Keys with the sum over lists of ``w / (C + rank)``, a list without a key adding nothing.

    Example:
        >>> lists = {"names": ["a", "b"], "meaning": ["b", "c"]}
        >>> [key for key, _ in fused(lists, {"names": 1.0, "meaning": 1.0})]
        ['b', 'a', 'c']
    """
    scores: dict[EntityKey, float] = {}
    for name, keys in lists.items():
        for rank, key in enumerate(keys, 1):
            scores[key] = scores.get(key, 0.0) + weights[name] / (C + rank)
    return sorted(scores.items(), key=lambda row: (-row[1], row[0]))
