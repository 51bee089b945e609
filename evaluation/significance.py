"""Is a difference more than chance? Standard errors and the paired bootstrap over units.

A unit is what was drawn independently: a query, a mention, an image. Average within units first.
"Better" means that the 95 % interval of the difference lies above 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kg.errors import InputError

__all__ = ["DRAWS", "Difference", "paired_bootstrap", "standard_error", "stratified_bootstrap"]

DRAWS = 2_000
_CHUNK_BYTES = 32 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A mean difference over units and its interval.

    Attributes:
        mean: Mean of ours minus theirs.
        low: Lower end of the interval.
        high: Upper end of the interval.
        confidence: Of the interval, in (0, 1).
        units: How many units there were.
    """

    mean: float
    low: float
    high: float
    confidence: float
    units: int

    @property
    def is_better(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.low > 0.0


def standard_error(values: ArrayLike) -> float:
    """Return the standard error of the mean over units (0 for a single unit).

    Raises:
        InputError: There are no values, or one is not finite.

    Example:
        >>> standard_error([1.0, 3.0])
        1.0
    """
    numbers = _finite(values)
    if len(numbers) == 1:
        return 0.0
    return float(numbers.std(ddof=1) / np.sqrt(len(numbers)))


def paired_bootstrap(
    ours: ArrayLike,
    theirs: ArrayLike,
    *,
    seed: int = 0,
    draws: int = DRAWS,
    confidence: float = 0.95,
) -> Difference:
    """Compare two runs on the same units by a percentile bootstrap of the paired differences.

    Args:
        ours: ``(n,)`` value of each unit.
        theirs: ``(n,)`` values of the same units in the same order.
        seed: Of the draws.
        draws: How many resamples of the units.
        confidence: Of the interval.

    Raises:
        InputError: The runs differ in units, are empty, or hold a value that is not finite.

    Example:
        >>> paired_bootstrap([0.9, 0.8, 0.7], [0.1, 0.2, 0.3]).is_better
        True
    """
    return stratified_bootstrap([(ours, theirs)], seed=seed, draws=draws, confidence=confidence)


def stratified_bootstrap(
    pairs: Sequence[tuple[ArrayLike, ArrayLike]],
    *,
    seed: int = 0,
    draws: int = DRAWS,
    confidence: float = 0.95,
) -> Difference:
    """Compare two runs by a mean of means over groups of units: each group is resampled by itself.

    Args:
        pairs: For each group, at least one, ours and theirs as in `paired_bootstrap`.
        seed: Of the draws.
        draws: How many resamples of the units.
        confidence: Of the interval.

    Raises:
        InputError: The runs differ in units, a group is empty, or a value is not finite.

    Example:
        >>> stratified_bootstrap([([1.0, 1.0], [0.5, 0.5]), ([0.0], [0.5])]).mean
        0.0
    """
    if not pairs or draws < 1 or not 0.0 < confidence < 1.0:
        raise InputError(
            f"{draws} draws at confidence {confidence} of {len(pairs)} groups make no interval"
        )
    generator = np.random.default_rng(seed)
    groups = [_gaps(ours, theirs) for ours, theirs in pairs]
    means = np.mean([_resampled_means(gaps, draws, generator) for gaps in groups], axis=0)
    edge = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [edge, 1.0 - edge])
    return Difference(
        mean=float(np.mean([gaps.mean() for gaps in groups])),
        low=float(low),
        high=float(high),
        confidence=confidence,
        units=sum(map(len, groups)),
    )


def _gaps(ours: ArrayLike, theirs: ArrayLike) -> NDArray[np.float64]:
    one, other = _finite(ours), _finite(theirs)
    if one.shape != other.shape:
        raise InputError(f"{len(one)} units cannot be paired with {len(other)}")
    return one - other


def _resampled_means(
    values: NDArray[np.float64], draws: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return the means of `draws` resamples, a bounded number of them at a time."""
    at_once = max(1, _CHUNK_BYTES // (16 * len(values)))
    parts = []
    for start in range(0, draws, at_once):
        shape = (min(at_once, draws - start), len(values))
        parts.append(values[generator.integers(len(values), size=shape)].mean(axis=1))
    return np.concatenate(parts)


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or len(numbers) == 0:
        raise InputError(f"values over units need one dimension and one unit, got {numbers.shape}")
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        raise InputError(f"the value {numbers[wrong[0]]} is not finite", where=f"row {wrong[0]}")
    return numbers
