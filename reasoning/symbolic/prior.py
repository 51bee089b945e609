"""A dense prior over entities that needs no model: how common they are as answers of a query.

It breaks the ties of sparse answerers (mostly between entities of truth 0), so that ranks do not
depend on ids; it is also a baseline (the frequent tail).
"""

from __future__ import annotations

from functools import lru_cache
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

__all__ = ["PRIOR_WEIGHT", "Prior"]

PRIOR_WEIGHT = 1e-9
"""Share of the prior in the scores of all entities: it orders ties and nothing else."""

_KEPT_CELLS, _FEWEST_KEPT = 16_000_000, 8
"""How many numbers of ends of relations are kept, as many relations as they make, and the least."""

Values = NDArray[np.float32]


class Prior:
    """How common entities are as answers, on one graph.

    Args:
        snapshot: The graph.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        kept = max(_FEWEST_KEPT, _KEPT_CELLS // max(1, snapshot.num_entities))
        self._ends = lru_cache(kept)(self._ends_of)

    def of(self, node: Query) -> Values:
        """Return ``(num_entities,)`` values in [0, 1], a mean over what the root's branches ask.

        Args:
            node: A query in normal form.

        Returns:
            Not to be written to.
        """
        snapshot = self.snapshot
        match node:
            case Anchor(entity=key):
                return self._ones(np.array([snapshot.entity_id(key)]))
            case SoftAnchor(candidates=candidates):
                values = np.zeros(snapshot.num_entities, dtype=np.float32)
                for key, membership in candidates:
                    values[snapshot.entity_id(key)] = membership
                return values
            case Labelled(label=label):
                return self._ones(snapshot.ids_with_label(label))
            case Compare():
                return self._ones(matching(snapshot, node))
            case Projection(relation=relation, inverse=inverse):
                return self._ends(snapshot.relation_id(relation), inverse)
            case Intersection(children=branches) | Union(children=branches):
                total = np.zeros(snapshot.num_entities, dtype=np.float32)
                for branch in branches:
                    total += self.of(branch)
                total *= np.float32(1.0 / len(branches))
                return total
            case Negation(child=child):
                return np.float32(1.0) - self.of(child)
            case _:
                assert_never(node)

    def _ends_of(self, relation: int, inverse: bool) -> Values:
        span = self.snapshot.edges_of(relation)
        ends = (self.snapshot.heads if inverse else self.snapshot.tails)[span]
        counts = np.bincount(ends, minlength=self.snapshot.num_entities)
        return np.asarray(counts / max(1, counts.max(initial=0)), dtype=np.float32)

    def _ones(self, ids: NDArray[np.integer]) -> Values:
        values = np.zeros(self.snapshot.num_entities, dtype=np.float32)
        values[ids] = 1.0
        return values
