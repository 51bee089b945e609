"""Split-conformal intervals: how wide a prediction must be to hold the truth often enough.

With n residuals of values that the model has not seen, the interval prediction ± q, where q is the
⌈(n + 1) c⌉-th smallest absolute residual, holds the next value with a probability of at least c,
and at most c + 1/(n + 1), whatever the model and the distribution, as long as the values are
exchangeable (Vovk et al. 2005; Lei et al., arXiv 1604.04173).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kg.errors import InputError, SettingError

__all__ = ["ConformalInterval", "check_coverage", "conformal_interval"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ConformalInterval:
    """Absolute residuals of unseen values.

    Attributes:
        residuals: ``(n,)`` ascending.
    """

    residuals: NDArray[np.float64]

    def half_width(self, coverage: float) -> float:
        """Return q.

        Raises:
            SettingError: The coverage is outside (0, 1), or too high for so few residuals.
        """
        check_coverage(coverage)
        count = len(self.residuals)
        place = ceil((count + 1) * coverage)
        if place > count:
            raise SettingError(
                f"{count} values cannot give a coverage of {coverage}",
                hint=f"ask for at most {count / (count + 1):.3f}",
            )
        return float(self.residuals[place - 1])


def check_coverage(coverage: float) -> None:
    """Refuse a share that no interval can have.

    Raises:
        SettingError: The coverage is outside (0, 1).
    """
    if not 0 < coverage < 1:
        raise SettingError(f"the coverage is {coverage}, not between 0 and 1")


def conformal_interval(predicted: ArrayLike, true: ArrayLike) -> ConformalInterval:
    """Return the intervals that unseen values give.

    Args:
        predicted: ``(n,)``.
        true: ``(n,)``.

    Raises:
        InputError: There is no value, or one is not finite.

    Example:
        >>> conformal_interval([0.0, 0.0, 0.0], [1.0, -3.0, 2.0]).half_width(0.5)
        2.0
    """
    residuals = np.sort(np.abs(np.asarray(predicted, np.float64) - np.asarray(true, np.float64)))
    if len(residuals) == 0 or not np.isfinite(residuals).all():
        raise InputError("an interval needs finite residuals, at least one")
    return ConformalInterval(residuals=residuals)
