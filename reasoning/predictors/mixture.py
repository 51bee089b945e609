"""One logistic regression a relation turns the evidence for a pair into a probability.

It is fitted on edges hidden from the features, so its output is calibrated for a graph that
misses about as many edges as a fold hides. Logistic regression rather than boosted trees: it ranks
as well here, is calibrated by its own loss, and is stored as plain numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

__all__ = ["Mixture", "fit_mixture"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """Weights of standardised columns.

    Attributes:
        centre: ``(num_columns,)`` subtracted from each column.
        scale: ``(num_columns,)`` each is divided by.
        weights: ``(num_columns,)``.
        offset: Intercept.
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    offset: float

    def contributions(self, columns: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return ``(n, num_columns)`` what each column adds to the log odds."""
        return (columns - self.centre) / self.scale * self.weights

    def probabilities(self, columns: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``(n,)`` probabilities."""
        folded = self.weights / self.scale
        odds = columns.astype(np.float64) @ folded + (self.offset - self.centre @ folded)
        found: NDArray[np.float32] = (1.0 / (1.0 + np.exp(-np.clip(odds, -60, 60)))).astype(
            np.float32
        )
        return found


def fit_mixture(
    columns: NDArray[np.float32],
    hits: NDArray[np.bool_],
    weights: NDArray[np.float64],
    *,
    penalty: float,
) -> Mixture:
    """Fit a mixture by weighted, L2-penalised maximum likelihood.

    Args:
        columns: ``(n, num_columns)`` evidence.
        hits: ``(n,)`` which pairs are hidden edges; both kinds must occur.
        weights: ``(n,)`` how many pairs each stands for (non-edges are sampled).
        penalty: Inverse of scikit-learn's C, above 0.
    """
    centre = np.average(columns, axis=0, weights=weights).astype(np.float64)
    spread = np.average((columns - centre) ** 2, axis=0, weights=weights)
    scale = np.sqrt(spread) + 1e-6
    model = LogisticRegression(C=1.0 / penalty, max_iter=200, tol=1e-3)
    model.fit((columns - centre) / scale, hits, sample_weight=weights)
    return Mixture(
        centre=centre,
        scale=scale,
        weights=model.coef_[0].astype(np.float64),
        offset=float(model.intercept_[0]),
    )
