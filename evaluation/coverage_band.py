"""The risk–coverage curve: the share of wrong items among the surest, and the band around it.

Calibrated probabilities promise a curve; the band says how far chance alone may part it from the
observed one. Two chances count. The items that are judged share units: answers of one query stand
or fall together, and so do answers to many queries that hang on one edge. Variances are therefore
those of sums over units, crossed units as V₁ + V₂ − V₁₂ (Cameron, Gelbach and Miller 2011). And
the maps that make the probabilities were fitted on a finite sample: how far the promise moves with
that sample is seen by fitting them again with random weights of its units (the Bayesian bootstrap,
Rubin 1981).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError

__all__ = ["RiskBand", "Sample", "risk_band"]

_COVERAGES = 20
_DRAWS = 60
_DEVIATIONS = 1.96

Floats = NDArray[np.float64]
Units = Sequence[NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """What the maps were fitted on.

    Attributes:
        units: For each kind of unit, one or two, ``(m,)`` numbers of the unit of each example.
        refitted: Given ``(m,)`` weights of the examples, returns the ``(n,)`` probabilities that
            maps fitted so give the items that are judged.
    """

    units: Units
    refitted: Callable[[Floats], Floats]


@dataclass(frozen=True, kw_only=True, eq=False)
class RiskBand:
    """Share of wrong items among the surest, by how many are kept.

    Attributes:
        coverage: ``(m,)`` share of items kept, rising to 1.
        risk: ``(m,)`` observed share of wrong ones.
        low: ``(m,)`` lower end of the 95 % band around it, for the promised share.
        high: ``(m,)`` upper end.
        promised: ``(m,)`` the share that the probabilities say is wrong.
    """

    coverage: Floats
    risk: Floats
    low: Floats
    high: Floats
    promised: Floats

    @property
    def share_within(self) -> float:
        """Share of the coverages at which the promised risk lies within the band."""
        return float(((self.low <= self.promised) & (self.promised <= self.high)).mean())


def risk_band(
    said: Floats,
    true: NDArray[np.bool_],
    units: Units,
    *,
    sample: Sample | None = None,
    draws: int = _DRAWS,
    seed: int = 0,
) -> RiskBand:
    """Return the risk–coverage curve with its band.

    At each coverage the band is the observed risk ± 1.96 standard errors of how far the promise
    and the risk lie apart: what the draw of units moves, and what the sample of the maps moves.

    Args:
        said: ``(n,)`` probabilities.
        true: ``(n,)`` outcomes.
        units: For each kind of unit, one or two, ``(n,)`` numbers of the unit of each item.
        sample: What the maps were fitted on; None where they are taken as they are.
        draws: How often the maps are fitted again for each kind of unit.
        seed: Of the weights.

    Raises:
        InputError: There are no items, shapes differ, or there are no or too many kinds of unit.

    Example:
        >>> band = risk_band(np.array([0.9, 0.1]), np.array([True, False]), [np.arange(2)])
        >>> band.risk[-1].item(), band.promised[-1].item()
        (0.5, 0.5)
    """
    _check(said, true, units)
    order = np.argsort(-said, kind="stable")
    coverage = np.arange(1, _COVERAGES + 1) / _COVERAGES
    kept = np.maximum(1, np.rint(coverage * len(said)).astype(np.int64))

    def share(of_items: Floats) -> Floats:
        total: Floats = np.cumsum(of_items[order])[kept - 1]
        return total / kept

    risk, promised = share((~true).astype(np.float64)), share(1.0 - said)
    gaps = (said - true)[order]

    def of_draw(unit: NDArray[np.int64]) -> Floats:
        number = np.unique(unit, return_inverse=True)[1][order]
        return np.array([_variance_of_mean(gaps[:n], number[:n]) for n in kept])

    variance = _crossed(of_draw, units)
    if sample is not None:
        generator = np.random.default_rng(seed)

        def of_maps(unit: NDArray[np.int64]) -> Floats:
            found = [share(sample.refitted(_weights(unit, generator))) for _ in range(draws)]
            return np.asarray(np.var(found, axis=0, ddof=1))

        variance = variance + _crossed(of_maps, sample.units)
    half = _DEVIATIONS * np.sqrt(variance)
    return RiskBand(
        coverage=coverage,
        risk=risk,
        low=np.maximum(0.0, risk - half),
        high=np.minimum(1.0, risk + half),
        promised=promised,
    )


def _crossed(variance: Callable[[NDArray[np.int64]], Floats], units: Units) -> Floats:
    """Return the variance under one kind of unit, or under two that cross."""
    if len(units) == 1:
        return variance(units[0])
    one, other = variance(units[0]), variance(units[1])
    pairs = np.unique(np.stack(units, axis=1), axis=0, return_inverse=True)[1].ravel()
    # in small samples the difference can fall below what either kind alone has
    return np.maximum(one + other - variance(pairs), np.maximum(one, other))


def _variance_of_mean(values: Floats, unit: NDArray[np.int64]) -> float:
    sums = np.bincount(unit, weights=values - values.mean())
    count = int(np.count_nonzero(np.bincount(unit)))
    return float(sums @ sums) * count / max(1, count - 1) / len(values) ** 2


def _weights(unit: NDArray[np.int64], generator: np.random.Generator) -> Floats:
    distinct, number = np.unique(unit, return_inverse=True)
    return generator.exponential(size=len(distinct))[number]


def _check(said: Floats, true: NDArray[np.bool_], units: Units) -> None:
    if not 1 <= len(units) <= 2:
        raise InputError(f"{len(units)} kinds of unit", hint="name one or two")
    if len(said) == 0 or any(len(array) != len(said) for array in (true, *units)):
        lengths = [len(said), len(true), *map(len, units)]
        raise InputError(f"probabilities, outcomes and units of {lengths} items")
