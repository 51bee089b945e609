"""A dense prior over entities that needs no model: how common they are as answers of a query.

It breaks the ties of sparse answerers (mostly between entities of truth 0), so that ranks do not
depend on ids; it is also a baseline (the frequent tail).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from reasoning.comparisons import matching
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    SoftAnchor,
    Union,
)

__all__ = ["prior"]


def prior(node: Query, snapshot: Snapshot) -> NDArray[np.float64]:
    """Return ``(num_entities,)`` values in [0, 1], a mean over what the root's branches ask for.

    Args:
        node: A query in normal form.
        snapshot: The graph.
    """
    match node:
        case Anchor(entity=key):
            return _ones(np.array([snapshot.entity_id(key)]), snapshot)
        case SoftAnchor(candidates=candidates):
            values = np.zeros(snapshot.num_entities)
            for key, membership in candidates:
                values[snapshot.entity_id(key)] = membership
            return values
        case Labelled(label=label):
            return _ones(snapshot.ids_with_label(label), snapshot)
        case Compare():
            return _ones(matching(snapshot, node), snapshot)
        case Projection(relation=relation, inverse=inverse):
            span = snapshot.edges_of(snapshot.relation_id(relation))
            ends = (snapshot.heads if inverse else snapshot.tails)[span]
            counts = np.bincount(ends, minlength=snapshot.num_entities)
            return np.asarray(counts / max(1, counts.max(initial=0)), dtype=np.float64)
        case Intersection(children=branches) | Union(children=branches):
            return _mean([prior(branch, snapshot) for branch in branches])
        case Negation(child=child):
            return 1.0 - prior(child, snapshot)
        case _:
            assert_never(node)


def _ones(ids: NDArray[np.integer], snapshot: Snapshot) -> NDArray[np.float64]:
    values = np.zeros(snapshot.num_entities)
    values[ids] = 1.0
    return values


def _mean(rows: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.asarray(np.mean(rows, axis=0), dtype=np.float64)
