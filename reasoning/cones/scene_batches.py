"""Batches about the scenes of a few images: every part in them is a candidate of every query.

Where a query that parts answer has siblings and strangers of its own (`BatchPlan`), each encoded
part is compared a few times. Here all queries of a batch share all encoded parts, as in-batch
softmax losses do (e.g. van den Oord et al., arXiv 1807.03748): each answer is told from every part
of its own image and of the others, so that scores mean the same in all images and ranks among all
parts of a graph are learnt, and several answers share one cone.

Some of the pairs of a query and an answer are asked, and what they ask is hidden from the encoder.
The other answers of the same queries count neither way.
"""

from __future__ import annotations

import numpy as np

from reasoning.cones.batches import Batch, BatchPlan, QueryGroup

__all__ = ["ScenePlan"]


class ScenePlan(BatchPlan):
    """Draws batches from query sets as `BatchPlan` does, but for those about parts.

    Of the settings it reads `part_images`, `pool`, `part_queries` (pairs that are asked) and
    `queries` for them.
    """

    def _about_images(self, group: QueryGroup, generator: np.random.Generator) -> Batch:
        """Draw some images, and pairs of a query and a part of them that answers it."""
        settings = self._settings
        images = self._parents[group.pairs[:, 1]]
        drawn = np.unique(images[generator.integers(0, len(images), settings.part_images)])
        candidates = np.sort(self._parts_of(drawn, generator))
        column = np.full(len(self._parents), -1, dtype=np.int64)
        column[candidates] = np.arange(len(candidates))
        possible = np.flatnonzero(column[group.pairs[:, 1]] >= 0)
        asked = group.pairs[generator.permutation(possible)[: settings.part_queries]]
        places, first = np.unique(asked[:, 0], return_index=True)
        places = np.sort(places[np.argsort(first)][: settings.queries])
        asked = asked[np.isin(asked[:, 0], places)]
        rows = group.rows[places]
        found = [group.queries.easy[row] for row in rows]
        owner = np.repeat(np.arange(len(rows)), [len(ids) for ids in found])
        flat = np.concatenate(found).astype(np.int64)
        positive = np.zeros((len(rows), len(candidates)), dtype=np.bool_)
        positive[np.searchsorted(places, asked[:, 0]), column[asked[:, 1]]] = True
        return Batch(
            structure=group.queries.structure,
            anchors=group.queries.anchors[rows].astype(np.int64),
            relations=group.queries.relations[rows].astype(np.int64),
            candidates=candidates,
            positive=positive,
            ignored=self._mask(len(rows), owner, flat, candidates) & ~positive,
            of_parts=True,
            answers=(owner, flat),
        )
