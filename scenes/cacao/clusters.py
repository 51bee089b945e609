"""Clusters of predicates that mean much the same, and the soft targets that follow from them.

CaCao (arXiv 2303.13233), section 3.2: a sample of "sitting on" speaks for "seated on" too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from kg.errors import InputError, SettingError

__all__ = ["predicate_clusters", "soft_targets"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def predicate_clusters(vectors: NDArray[np.floating], *, threshold: float = 0.7) -> Integers:
    """Cluster predicates by average linkage on the cosine of their names' vectors.

    Args:
        vectors: ``(predicates, dimension)``, none of them zero.
        threshold: Least mean cosine of two clusters that are joined, in (0, 1].

    Returns:
        ``(predicates,)`` number of each predicate's cluster, from 0 in order of appearance.

    Raises:
        SettingError: The threshold is out of its range.
        InputError: No vector, or one that is zero.

    Example:
        >>> predicate_clusters(np.array([[1.0, 0.0], [0.0, 1.0], [0.9, 0.1]])).tolist()
        [0, 1, 0]
    """
    if not 0 < threshold <= 1:
        raise SettingError(f"a cluster's cosine must lie in (0, 1], got {threshold}")
    if len(vectors) < 2:
        _unit(vectors)
        return np.zeros(len(vectors), dtype=np.int64)
    joined = linkage(_unit(vectors), method="average", metric="cosine")
    # a distance of a rounding error below zero must not stand above "equal"
    named = fcluster(joined, 1 - threshold + 1e-9, criterion="distance")
    _, first, inverse = np.unique(named, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    result: Integers = order[inverse].astype(np.int64)
    return result


def soft_targets(vectors: NDArray[np.floating], clusters: Integers) -> Floats:
    """Return what a sample of each predicate says of all predicates.

    ``t_jj = 1``; ``t_jk = s_jk / |cluster of j|`` for the others of the cluster, with s the cosine
    (none below 0); 0 elsewhere.

    Args:
        vectors: ``(predicates, dimension)``.
        clusters: ``(predicates,)`` from `predicate_clusters`.

    Returns:
        ``(predicates, predicates)``, a row a predicate; rows do not sum to 1.
    """
    unit = _unit(vectors)
    cosines = np.clip(unit @ unit.T, 0.0, 1.0)
    sizes = np.bincount(clusters)[clusters]
    targets: Floats = np.where(
        clusters[:, None] == clusters[None, :], cosines / sizes[:, None], 0.0
    )
    np.fill_diagonal(targets, 1.0)
    return targets


def _unit(vectors: NDArray[np.floating]) -> Floats:
    if vectors.ndim != 2 or len(vectors) == 0:
        raise InputError(f"expected one vector a predicate, got an array of shape {vectors.shape}")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (lengths > 0).all():
        row = int(np.argmin(lengths[:, 0]))
        raise InputError(f"the vector of predicate {row} is zero", hint="give its name a word")
    result: Floats = (vectors / lengths).astype(np.float64)
    return result
