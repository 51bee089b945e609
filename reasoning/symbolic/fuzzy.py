"""Fuzzy sets of entities, and the edges that carry them: the arithmetic of symbolic answering.

A set holds three truth values an entity (*rough truth*): `LOWER` by known edges only, `TRUTH` with
predicted edges, `UPPER` with predicted edges where a negated branch counts known edges only. So
lower ≤ truth ≤ upper, and the gap is what nobody knows. Conjunction is the product, disjunction
1 − Π(1 − x), negation (l, t, u) ↦ ((1 − u)ˢ, (1 − t)ˢ, (1 − l)ˢ) with s = 1 unless it is set
(`SymbolicConfig.negation_power`; any s keeps De Morgan's laws), projection
T'(v) = max_u T(u)·M(u, v) (QTO, arXiv 2212.09567).

Sets are sparse. What was left out by pruning is bounded: the true value of any entity lies in
[value − `below`, value + `above`], and 0 stands for entities that a set does not list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from reasoning.known_edges import Ids, contains

__all__ = [
    "LOWER",
    "TRUTH",
    "UPPER",
    "Entries",
    "FuzzySet",
    "Maxima",
    "crisp",
    "either",
    "together",
    "transported",
]

LOWER, TRUTH, UPPER = 0, 1, 2

Values = TypeVar("Values", NDArray[np.float64], NDArray[np.float32])

_SCANNED_PER_ID = 32
"""Looking through so many marks of a bitmap costs less than the sort of one id."""


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

    @property
    def top(self) -> float:
        """The most that the truth of any entity can be."""
        return min(1.0, float(self.values[TRUTH].max(initial=0.0)) + self.above)

    def at(self, ids: Ids) -> NDArray[np.float64]:
        """Return ``(3, len(ids))`` values at given entities."""
        found = np.zeros((3, len(ids)))
        if len(self.ids):
            places = self.ids.searchsorted(ids)
            places[places == len(self.ids)] = 0
            hit = (self.ids.take(places) == ids).nonzero()[0]
            found[:, hit] = self.values[:, places[hit]]
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entries:
    """Edges that leave the entities of a set, as parallel arrays; an edge may stand twice.

    Attributes:
        sources: ``(n,)`` positions into the list of entities that was asked for.
        ends: ``(n,)`` ids of where they lead.
        probabilities: ``(n,)`` float64; 1 for known edges.
        known: ``(n,)`` which are known.
        left_out: No edge that is missing here carries a truth T(u)·M(u, v) above this.
    """

    sources: NDArray[np.int64]
    ends: NDArray[np.int32]
    probabilities: NDArray[np.float64]
    known: NDArray[np.bool_]
    left_out: float = 0.0


class Maxima:
    """Weights fused at each of many ids, without touching all ids. For one thread.

    Args:
        num_entities: Ids are below this.
    """

    def __init__(self, num_entities: int) -> None:
        # pages of either array come into memory when they are first touched
        self._largest = np.zeros(num_entities)
        self._seen = np.zeros(num_entities, dtype=np.int32)
        self._marked = np.zeros(num_entities, dtype=np.bool_)

    def distinct(self, ids: NDArray[np.int32]) -> Ids:
        """Return ids ascending, each once, by a bitmap or by a sort of the distinct ones only."""
        if len(ids) * _SCANNED_PER_ID > len(self._seen):
            self._marked[ids] = True
            found: Ids = self._marked.nonzero()[0].astype(np.int32)
            self._marked[found] = False
            return found
        order = np.arange(len(ids), dtype=np.int32)
        # of equal ids the last write stays, so one of each finds itself there
        self._seen[ids] = order
        found = ids[self._seen.take(ids) == order]
        found.sort()
        return found

    def of(
        self, ids: NDArray[np.int32], weights: NDArray[np.float64], at: Ids
    ) -> NDArray[np.float64]:
        """Return the largest weight at each id of `at`, 0 where there is none.

        Args:
            ids: ``(n,)``, all of them in `at`.
            weights: ``(n,)`` at least 0.
            at: Ascending, each once.
        """
        np.maximum.at(self._largest, ids, weights)
        found = self._largest.take(at)
        self._largest[at] = 0.0
        return found

    def noisy_or(
        self, ids: NDArray[np.int32], weights: NDArray[np.float64], at: Ids
    ) -> NDArray[np.float64]:
        """Return 1 − Π(1 − weight) over the weights at each id of `at`; arguments as in `of`."""
        with np.errstate(divide="ignore"):  # a weight of 1 makes the whole 1
            np.add.at(self._largest, ids, np.log1p(-weights))
        found = -np.expm1(self._largest[at])
        self._largest[at] = 0.0
        return found


def crisp(ids: Ids) -> FuzzySet:
    """Return a set that surely holds some entities and no others."""
    return FuzzySet(ids=ids, values=np.ones((3, len(ids))))


def transported(
    inner: FuzzySet, entries: Entries, maxima: Maxima, *, noisy_or: bool = False
) -> FuzzySet:
    """Return the projection of a set along edges: T'(v) = max over u of T(u)·M(u, v).

    Args:
        inner: T.
        entries: Edges that leave `inner.ids`.
        maxima: Scratch space of the graph's size.
        noisy_or: The truth is 1 − Π over u of (1 − T(u)·M(u, v)) instead: all ways to reach an
            entity count, as if they were independent. The other two values stay as they are.
    """
    lower, truth, upper = inner.values
    ids = maxima.distinct(entries.ends)
    values = np.zeros((3, len(ids)))
    known = entries.known.nonzero()[0]
    if len(known):
        sources, ends = entries.sources[known], entries.ends[known]
        values[LOWER] = maxima.of(ends, lower[sources], ids)
    reached = truth.take(entries.sources) * entries.probabilities
    values[TRUTH] = maxima.of(entries.ends, reached, ids)
    if np.array_equal(truth, upper):
        values[UPPER] = values[TRUTH]
    else:
        most = upper.take(entries.sources) * entries.probabilities
        values[UPPER] = maxima.of(entries.ends, most, ids)
    if noisy_or:
        values[TRUTH] = maxima.noisy_or(entries.ends, reached, ids)
    kept = values[UPPER] > 0.0
    if not kept.all():
        ids, values = ids[kept], values[:, kept]
    return FuzzySet(
        ids=ids,
        values=values,
        above=min(1.0, inner.above + entries.left_out),
        below=inner.below,
    )


def together(
    positive: Sequence[FuzzySet],
    negative: Sequence[FuzzySet],
    maxima: Maxima,
    *,
    negation_power: float = 1.0,
    unlisted: float = 0.0,
) -> FuzzySet:
    """Return the intersection: the product of the positive sets and of (1 − x)ˢ of the negative.

    Args:
        positive: At least one set.
        negative: Sets whose complement is meant.
        maxima: Scratch space of the graph's size.
        negation_power: s.
        unlisted: An entity that one positive set lists and another does not counts there as this
            share of the most it can be (`FuzzySet.above`), an estimate; with 0 it is left out.
    """
    if len(positive) == 1:
        unlisted = 0.0  # no other branch speaks for what this one does not list
    ids = _candidates(positive, maxima) if unlisted else _common([b.ids for b in positive])
    values: NDArray[np.float64] | None = None
    for branch in positive:
        found = branch.at(ids)
        if unlisted and branch.above:
            np.maximum(found[TRUTH:], unlisted * branch.above, out=found[TRUTH:])
        values = found if values is None else np.multiply(values, found, out=values)
    if values is None:
        raise ValueError("an intersection without a positive branch")
    for branch in negative:
        absent = 1.0 - branch.at(ids)[::-1]
        values *= absent if negation_power == 1.0 else absent**negation_power
    tops = [branch.top for branch in positive]
    # Π(x + δ) − Πx ≤ Σ δᵢ · Π over the other factors, none of which exceeds its top
    shares = [prod(tops[:i] + tops[i + 1 :]) for i in range(len(tops))]
    whole = prod(tops)
    above = sum(b.above * share for b, share in zip(positive, shares, strict=True))
    below = sum(
        (b.below + unlisted * b.above) * share for b, share in zip(positive, shares, strict=True)
    )
    above += whole * sum(_power_bound(b.below, negation_power) for b in negative)
    below += whole * sum(_power_bound(b.above, negation_power) for b in negative)
    return FuzzySet(ids=ids, values=values, above=min(1.0, above), below=min(1.0, below))


def _power_bound(error: float, power: float) -> float:
    """Return how far xˢ and yˢ can lie apart where x and y in [0, 1] lie `error` apart."""
    return min(1.0, power * error if power >= 1.0 else error**power)


def either(branches: Sequence[FuzzySet], maxima: Maxima) -> FuzzySet:
    """Return the union, 1 − Π(1 − x)."""
    ids = _all(branches, maxima)
    absent = np.ones((3, len(ids)))
    for branch in branches:
        # of entities that a branch does not list nothing changes
        absent[:, ids.searchsorted(branch.ids)] *= 1.0 - branch.values
    return FuzzySet(
        ids=ids,
        values=1.0 - absent,
        above=min(1.0, sum(branch.above for branch in branches)),
        below=min(1.0, sum(branch.below for branch in branches)),
    )


def _all(branches: Sequence[FuzzySet], maxima: Maxima) -> Ids:
    return maxima.distinct(np.concatenate([branch.ids for branch in branches]))


def _candidates(branches: Sequence[FuzzySet], maxima: Maxima) -> Ids:
    """Return what may be in all sets: what is in those of which nothing is left out."""
    whole = [branch.ids for branch in branches if branch.above == 0.0]
    return _common(whole) if whole else _all(branches, maxima)


def _common(sets: Sequence[Ids]) -> Ids:
    """Return ids that are in all sets, by searches of the fewer ones in the more."""
    smallest, *others = sorted(sets, key=len)
    for ids in others:
        if not len(smallest):
            break
        smallest = smallest[contains(ids, smallest)]
    return smallest
