"""What an owner of parts stands beside in the graph, which its parts' encoder reads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from reasoning.cones.scene_neighbours import count_before

__all__ = ["SURROUNDINGS", "surroundings_of"]

SURROUNDINGS = 16
"""Most entities around an owner whose axes are read."""


def surroundings_of(
    snapshot: Snapshot,
    owners: NDArray[np.int64],
    classes: NDArray[np.int32],
    keep: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return ordinary entities beside each owner, those of the fewest edges first.

    Classes are left out: that the image shows a class tells what its parts are, and whose label is
    hidden would be told by it.

    Args:
        snapshot: The graph.
        owners: ``(num_images,)`` entity ids of owners of parts.
        classes: Entities that label parts.
        keep: ``(num_edges,)`` which edges are read.

    Returns:
        ``(num_images, SURROUNDINGS)`` entity ids, -1 where there are fewer.
    """
    plain = np.asarray(snapshot.parents) < 0
    plain[classes] = False
    heads, tails = (np.asarray(a)[keep].astype(np.int64) for a in (snapshot.heads, snapshot.tails))
    starts, ends = np.concatenate([heads, tails]), np.concatenate([tails, heads])
    row_of = np.full(snapshot.num_entities, -1, dtype=np.int64)
    row_of[owners] = np.arange(len(owners))
    degrees = np.bincount(ends, minlength=snapshot.num_entities)
    chosen = (row_of[starts] >= 0) & plain[ends]
    pairs = np.unique(np.stack([row_of[starts[chosen]], ends[chosen]], axis=1), axis=0)
    pairs = pairs[np.lexsort((degrees[pairs[:, 1]], pairs[:, 0]))]
    place = count_before(pairs[:, 0])
    found = np.full((len(owners), SURROUNDINGS), -1, dtype=np.int64)
    near = place < SURROUNDINGS
    found[pairs[near, 0], place[near]] = pairs[near, 1]
    return found
