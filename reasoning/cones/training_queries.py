"""What cones are trained on: all one-hop queries of a graph, and samples of more structures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kg.snapshot import Snapshot
from reasoning.id_sets import DirectedEdges
from reasoning.sampling import QuerySet, one_hop_queries, sample_queries
from reasoning.structures import STRUCTURES

__all__ = ["training_queries"]


def training_queries(
    training: Snapshot,
    edges: DirectedEdges,
    *,
    structures: Sequence[str],
    part_structures: Sequence[str],
    count: int,
    generator: np.random.Generator,
) -> list[QuerySet]:
    """Sample what is trained on; the anchors of sampled queries are no parts.

    Args:
        training: The training graph.
        edges: Its edges.
        structures: Names; 1p is taken whole, others have answers that are no parts.
        part_structures: Names of those that are sampled once more, with parts as answers.
        count: Most queries a structure.
        generator: Source of randomness.
    """
    ordinary = np.asarray(training.parents) < 0
    linked = np.unique(edges.starts)
    found = [one_hop_queries(edges)] if "1p" in structures else []
    pools = ((structures, linked[ordinary[linked]]), (part_structures, linked[~ordinary[linked]]))
    for names, answers in pools:
        found += [
            sample_queries(
                STRUCTURES[name],
                count,
                edges,
                generator=generator,
                answers_from=answers,
                anchors_from=ordinary,
            )
            for name in names
            if name != "1p" and len(answers)
        ]
    return found
