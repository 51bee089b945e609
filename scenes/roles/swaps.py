"""Triplets with subject and object exchanged, after Structure-CLIP (arXiv 2305.06152).

"horse ride person" has the words of "person ride horse" and another structure: a hard negative. A
swap that reads as true again is none: the predicate is symmetric, another annotation says it, or
the boxes do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.relations.pairs import GEOMETRY, PairTable

__all__ = ["Swaps", "reversed_rows", "swap_negatives", "symmetric_predicates"]

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_LEAST_PAIRS = 50
_LEAST_SHARE = 0.2
_RARER_KIN = frozenset(["adjacent to", "park next", "sleep next to", "walk beside", "walk next to"])
"""Kin of the symmetric predicates, too rare for the rule in any set of this size."""

INVERSES = {
    "above": ("below", "under", "beneath"),
    "over": ("below", "under", "beneath"),
    "on the top of": ("below", "under", "beneath"),
    "behind": ("in the front of",),
    "on the left of": ("on the right of",),
    "contain": ("in", "inside"),
}
"""Predicates of which each is true of a pair where the other is true of the reversed pair."""

# the column of the geometry that must be below 0 for the predicate to be true of the boxes
_SIGNED = {"above": ("dy", 1), "below": ("dy", -1)} | {
    "on the left of": ("dx", 1),
    "on the right of": ("dx", -1),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Swaps:
    """Annotated triplets whose swap is false.

    Attributes:
        rows: ``(n,)`` row of the pair of each triplet.
        predicates: ``(n,)``.
        reversed: ``(n,)`` row of the pair with subject and object exchanged.
    """

    rows: Integers
    predicates: Integers
    reversed: Integers


def reversed_rows(pairs: PairTable) -> Integers:
    """Return for each row that of the pair with subject and object exchanged."""
    sizes = np.diff(pairs.starts)
    # c objects give c * (c - 1) pairs
    count = np.rint((1 + np.sqrt(1 + 4 * sizes)) / 2).astype(np.int64)[pairs.image]
    subject, other = pairs.objects.T
    rows: Integers = pairs.starts[pairs.image] + other * (count - 1) + subject - (subject > other)
    return rows


def symmetric_predicates(pairs: PairTable, names: Sequence[str]) -> Flags:
    """Return which predicates are symmetric.

    Those annotated in both directions of at least a fifth of their pairs, if they have at least
    fifty, and a few rarer ones of the same meaning by name.

    Args:
        pairs: Of the training images.
        names: Of the predicates.
    """
    row, predicate = np.nonzero(pairs.said)
    both = pairs.said[reversed_rows(pairs)[row], predicate]
    count = np.bincount(predicate, minlength=len(names))
    twice = np.bincount(predicate[both], minlength=len(names))
    often = (count >= _LEAST_PAIRS) & (twice >= _LEAST_SHARE * count)
    kin = np.array([name in _RARER_KIN for name in names])
    result: Flags = often | kin
    return result


def swap_negatives(
    pairs: PairTable,
    names: Sequence[str],
    symmetric: Flags,
    *,
    inverses: Mapping[str, Sequence[str]] = INVERSES,
    by_geometry: bool = True,
) -> Swaps:
    """Return the annotated triplets whose swap is false.

    Args:
        pairs: With what is annotated.
        names: Of the predicates.
        symmetric: ``(predicates,)`` whose swaps read as true again.
        inverses: By predicate those that say the same of the reversed pair.
        by_geometry: Whether a swap that is true of the boxes is left out too: the annotation of
            "above" that lies below.
    """
    row, predicate = np.nonzero(pairs.said & ~symmetric)
    back = reversed_rows(pairs)[row]
    true = pairs.said[back, predicate]
    number = {name: index for index, name in enumerate(names)}
    for name, others in inverses.items():
        for first, second in ((a, b) for o in others for a, b in ((name, o), (o, name))):
            if first in number and second in number:
                # (o, p, s) is (s, inverse of p, o): annotated, it makes the swap true
                true |= (predicate == number[first]) & pairs.said[row, number[second]]
    if by_geometry:
        for name, (column, sign) in _SIGNED.items():
            offset = sign * pairs.geometry[row, GEOMETRY.index(column)]
            true |= (predicate == number.get(name, -1)) & (offset >= 0)
    return Swaps(rows=row[~true], predicates=predicate[~true], reversed=back[~true])
