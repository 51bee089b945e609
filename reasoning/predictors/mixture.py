"""One logistic regression a relation turns the evidence for a pair into a probability.

It is fitted on edges hidden from the features, in the rows (a head and all its possible tails) that
miss an edge: so a probability means "given that this row misses one", which is what the evaluation
protocol asks. Where rows of so many known tails hardly ever miss one (a country with a region, an
exporter with its five listed partners), `completeness` scales the probability down. Logistic
regression rather than boosted trees: it ranks as well here, is calibrated by its own loss, and is
stored as plain numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_TAILS", "Mixture", "completeness_of", "fit_mixture"]

MOST_TAILS = 8
"""Heads with more known tails count as having this many."""

_SELDOM = 0.02


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """Weights of standardised columns.

    Attributes:
        centre: ``(num_columns,)`` subtracted from each column.
        scale: ``(num_columns,)`` each is divided by.
        weights: ``(num_columns,)``.
        offset: Intercept.
        completeness: ``(9,)`` factor in [0, 1] for heads with 0, 1, … 8 or more known tails.
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    offset: float
    completeness: NDArray[np.float64]

    def probabilities(
        self, columns: NDArray[np.float32], known_tails: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return ``(n,)`` probabilities.

        Args:
            columns: ``(n, num_columns)`` evidence.
            known_tails: ``(n,)`` how many known tails each pair's head has.
        """
        folded = self.weights / self.scale
        odds = columns.astype(np.float64) @ folded + (self.offset - self.centre @ folded)
        found = self.completeness[np.minimum(known_tails, MOST_TAILS)]
        found = found / (1.0 + np.exp(-np.clip(odds, -60, 60)))
        return np.asarray(found, dtype=np.float32)


def completeness_of(
    known_tails: NDArray[np.int64], missing: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return ``(9,)`` factors: 1 where at least 2 % of the rows of so many tails miss an edge.

    Below, the factor falls in proportion; a pseudo-count keeps rare numbers of tails near the mean.

    Args:
        known_tails: ``(num_rows,)`` known tails of each head, over all folds.
        missing: ``(num_rows,)`` which rows miss an edge.
    """
    bucket = np.minimum(known_tails, MOST_TAILS)
    rows = np.bincount(bucket, minlength=MOST_TAILS + 1)
    miss = np.bincount(bucket, missing, minlength=MOST_TAILS + 1)
    share = (miss + missing.mean()) / (rows + 1.0)
    return np.asarray(np.minimum(1.0, share / _SELDOM), dtype=np.float64)


def fit_mixture(
    columns: NDArray[np.float32],
    hits: NDArray[np.bool_],
    weights: NDArray[np.float64],
    *,
    completeness: NDArray[np.float64],
    penalty: float,
) -> Mixture:
    """Fit a mixture by weighted, L2-penalised maximum likelihood.

    Args:
        columns: ``(n, num_columns)`` evidence.
        hits: ``(n,)`` which pairs are hidden edges; both kinds must occur.
        weights: ``(n,)`` how many pairs each stands for (non-edges are sampled).
        completeness: See `completeness_of`.
        penalty: Inverse of scikit-learn's C, above 0.
    """
    from sklearn.linear_model import LogisticRegression  # over a second; to answer takes none

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
        completeness=completeness,
    )
