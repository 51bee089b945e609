"""From a classifier's opinion to a probability that can be believed, label by label (Platt 1999).

Fitted on images whose labels the classifier had not seen: valid, and train by cross-fitting. With
ten crescents in all, the fit is pulled towards leaving the opinion as it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

__all__ = ["apply_platt", "fit_platt"]

Floats = NDArray[np.float64]
_PULL = 0.15  # strength of the prior (slope 1, shift 0), in examples
_EDGE = 1e-4


def apply_platt(opinion: Floats, slope: Floats | float, shift: Floats | float) -> Floats:
    """Return sigmoid(slope * logit(opinion) + shift), in the shape of `opinion`."""
    result: Floats = expit(slope * logit(np.clip(opinion, _EDGE, 1 - _EDGE)) + shift)
    return result


def fit_platt(opinion: Floats, truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit slope and shift by penalised log loss.

    Args:
        opinion: ``(n,)`` in [0, 1].
        truth: ``(n,)``.

    Returns:
        Slope (at least 0.1, so that the order is kept) and shift; (1, 0) without examples.

    Example:
        >>> fit_platt(np.empty(0), np.empty(0, dtype=bool))
        (1.0, 0.0)
    """
    if len(opinion) == 0:
        return 1.0, 0.0
    x = logit(np.clip(opinion, _EDGE, 1 - _EDGE))
    sign = np.where(truth, 1.0, -1.0)

    def loss(parameters: Floats) -> float:
        slope, shift = parameters
        surprise = np.logaddexp(0.0, -sign * (slope * x + shift)).sum()
        return float(surprise + _PULL * ((slope - 1) ** 2 + shift**2))

    best = minimize(loss, np.array([1.0, 0.0]), bounds=[(0.1, 10.0), (-10.0, 10.0)])
    return float(best.x[0]), float(best.x[1])
