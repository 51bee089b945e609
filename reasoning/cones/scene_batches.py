"""Batches about the scenes of a few images: every part in them is a candidate of every query.

Where a query that parts answer has siblings and strangers of its own (`BatchPlan`), each encoded
part is compared a few times. Here all queries of a batch share all encoded parts, as in-batch
softmax losses do (e.g. van den Oord et al., arXiv 1807.03748): each answer is told from every part
of its own image and of the others, so that scores mean the same in all images and ranks among all
parts of a graph are learnt.
"""

from __future__ import annotations

import numpy as np

from reasoning.cones.batches import Batch, BatchPlan, QueryGroup, answers_of

__all__ = ["ScenePlan"]


class ScenePlan(BatchPlan):
    """Draws batches from query sets as `BatchPlan` does, but for those about parts.

    Of the settings it reads `part_images`, `pool` and `queries` for them.
    """

    def _about_images(self, group: QueryGroup, generator: np.random.Generator) -> Batch:
        """Draw some images, and queries that parts of them answer, often those of more parts."""
        settings = self._settings
        images = self._parents[group.pairs[:, 1]]
        drawn = np.unique(images[generator.integers(0, len(images), settings.part_images)])
        candidates = np.sort(self._parts_of(drawn, generator))
        column = np.full(len(self._parents), -1, dtype=np.int64)
        column[candidates] = np.arange(len(candidates))
        possible = np.flatnonzero(column[group.pairs[:, 1]] >= 0)
        pairs = group.pairs[generator.permutation(possible)]
        _, first = np.unique(pairs[:, 0], return_index=True)
        places = pairs[np.sort(first)[: settings.queries], 0]
        rows = group.rows[places]
        owner, flat = answers_of(group.queries, rows)
        positive = self._mask(len(rows), owner, flat, candidates)
        return Batch(
            structure=group.queries.structure,
            anchors=group.queries.anchors[rows].astype(np.int64),
            relations=group.queries.relations[rows].astype(np.int64),
            candidates=candidates,
            positive=positive,
            ignored=np.zeros_like(positive),
            of_parts=True,
            answers=(owner, flat),
        )
