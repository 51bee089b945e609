"""All edges of a relation that may be missing, with their probabilities, as one sparse matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.snapshot import Snapshot
from reasoning.predictors.calibrated import RelationModel
from reasoning.predictors.features import Features, pairs_of
from reasoning.predictors.typing import RelationTypes

__all__ = ["predicted_edges"]


def predicted_edges(
    snapshot: Snapshot,
    types: RelationTypes,
    features: Features,
    relation: int,
    model: RelationModel | None,
    *,
    kept_tails: int,
) -> sparse.csr_matrix:
    """Return ``(num_entities, num_entities)`` probabilities of new edges of a relation.

    Args:
        snapshot: The graph.
        types: Which edges are possible.
        features: Of the graph.
        relation: Relation id.
        model: Of the relation; without one nothing is predicted.
        kept_tails: Most tails that are kept for one head.
    """
    size = (snapshot.num_entities, snapshot.num_entities)
    if model is None:
        return sparse.csr_matrix(size, dtype=np.float32)
    heads = types.candidates(relation, inverse=True)
    pairs = pairs_of(snapshot, types, relation, heads)
    span = snapshot.edges_of(relation)
    known = np.bincount(snapshot.heads[span], minlength=snapshot.num_entities)
    found = model.mixture.probabilities(
        features.columns(relation, pairs, model.bodies), known[heads[pairs.rows]]
    )
    kept = _best_of_each(pairs.rows, found, kept_tails)
    places = (heads[pairs.rows[kept]], pairs.tails[kept])
    return sparse.csr_matrix((found[kept], places), shape=size)


def _best_of_each(
    rows: NDArray[np.int64], values: NDArray[np.float32], most: int
) -> NDArray[np.int64]:
    """Return the positions of the `most` largest values of each row, ascending."""
    order = np.lexsort((-values, rows))
    ordered = rows[order]
    first = np.searchsorted(ordered, ordered)
    kept: NDArray[np.int64] = np.sort(order[np.arange(len(order)) - first < most])
    return kept
