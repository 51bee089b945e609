"""Fuzzy sets of entities, and the edges that carry them: the arithmetic of symbolic answering.

A set holds three truth values an entity (*rough truth*): `LOWER` by known edges only, `TRUTH` with
predicted edges, `UPPER` with predicted edges where a negated branch counts known edges only. So
lower ≤ truth ≤ upper, and the gap is what nobody knows. Conjunction is the product, disjunction
1 − Π(1 − x), negation (l, t, u) ↦ (1 − u, 1 − t, 1 − l), projection T'(v) = max_u T(u)·M(u, v)
(QTO, arXiv 2212.09567).

Sets are sparse. What was left out by pruning is bounded: the true value of any entity lies in
[value − `below`, value + `above`], and 0 stands for entities that a set does not list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from reasoning.known_edges import Ids

__all__ = [
    "LOWER",
    "TRUTH",
    "UPPER",
    "Entries",
    "FuzzySet",
    "crisp",
    "either",
    "together",
    "transported",
]

LOWER, TRUTH, UPPER = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FuzzySet:
    """Truth values of entities; 0 for those that are not listed.

    Attributes:
        ids: ``(n,)`` ascending.
        values: ``(3, n)`` float64 in [0, 1]: rows `LOWER`, `TRUTH`, `UPPER`.
        above: How much more than its value the truth of any entity can be.
        below: How much less.
    """

    ids: Ids
    values: NDArray[np.float64]
    above: float = 0.0
    below: float = 0.0

    def at(self, ids: Ids) -> NDArray[np.float64]:
        """Return ``(3, len(ids))`` values at given entities."""
        found = np.zeros((3, len(ids)))
        if len(self.ids):
            places = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
            hit = self.ids[places] == ids
            found[:, hit] = self.values[:, places[hit]]
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entries:
    """Edges that leave some entities, as parallel arrays.

    Attributes:
        sources: ``(n,)`` positions into the list of entities that was asked for.
        ends: ``(n,)`` ids of where they lead.
        probabilities: ``(n,)`` float64; 1 for known edges.
        known: ``(n,)`` which are known.
        missing: No edge left out has a probability above this, but for `lost` ones.
        lost: No edge of an entity that was not followed carries a truth above this.
    """

    sources: NDArray[np.int64]
    ends: NDArray[np.int32]
    probabilities: NDArray[np.float64]
    known: NDArray[np.bool_]
    missing: float = 0.0
    lost: float = 0.0


def crisp(ids: Ids) -> FuzzySet:
    """Return a set that surely holds some entities and no others."""
    return FuzzySet(ids=ids, values=np.ones((3, len(ids))))


def transported(inner: FuzzySet, entries: Entries, num_entities: int) -> FuzzySet:
    """Return the projection of a set along edges: T'(v) = max over u of T(u)·M(u, v).

    Args:
        inner: T.
        entries: Edges that leave `inner.ids`.
        num_entities: Size of the graph.
    """
    values = np.zeros((3, num_entities))
    reached = inner.values[:, entries.sources] * entries.probabilities
    np.maximum.at(values[LOWER], entries.ends, np.where(entries.known, reached[LOWER], 0.0))
    np.maximum.at(values[TRUTH], entries.ends, reached[TRUTH])
    np.maximum.at(values[UPPER], entries.ends, reached[UPPER])
    ids = np.flatnonzero(values[UPPER]).astype(np.int32)
    top = float(inner.values[TRUTH].max(initial=0.0)) + inner.above
    return FuzzySet(
        ids=ids,
        values=values[:, ids],
        above=min(1.0, inner.above + max(entries.missing * min(1.0, top), entries.lost)),
        below=inner.below,
    )


def together(positive: Sequence[FuzzySet], negative: Sequence[FuzzySet]) -> FuzzySet:
    """Return the intersection: the product of the positive sets and of 1 − the negative ones.

    Args:
        positive: At least one set.
        negative: Sets whose complement is meant.
    """
    ids = reduce(_common, sorted((branch.ids for branch in positive), key=len))
    values = np.ones((3, len(ids)))
    for branch in positive:
        values *= branch.at(ids)
    for branch in negative:
        values *= 1.0 - branch.at(ids)[::-1]
    above = sum(b.above for b in positive) + sum(b.below for b in negative)
    below = sum(b.below for b in positive) + sum(b.above for b in negative)
    return FuzzySet(ids=ids, values=values, above=min(1.0, above), below=min(1.0, below))


def either(branches: Sequence[FuzzySet]) -> FuzzySet:
    """Return the union, 1 − Π(1 − x)."""
    ids = reduce(np.union1d, (branch.ids for branch in branches))
    absent = np.ones((3, len(ids)))
    for branch in branches:
        absent *= 1.0 - branch.at(ids)
    return FuzzySet(
        ids=ids,
        values=1.0 - absent,
        above=min(1.0, sum(branch.above for branch in branches)),
        below=min(1.0, sum(branch.below for branch in branches)),
    )


def _common(one: Ids, other: Ids) -> Ids:
    return np.intersect1d(one, other, assume_unique=True)
