"""Rows as walks meet them: by their edges, so that most of them miss nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from reasoning.predictors.ensemble.examples import Missing

__all__ = ["walked_rows"]


def walked_rows(
    known: Snapshot, missing: Missing, count: int, *, seed: int
) -> tuple[Missing, NDArray[np.int64]]:
    """Draw edges, known or missing, in either direction, and return their rows.

    Args:
        known: The graph without the missing edges.
        missing: All rows that miss an edge.
        count: Edges drawn, with replacement.
        seed: Of the draw.

    Returns:
        The distinct rows with what they miss, and how often each was drawn.
    """
    edges = known.num_edges
    drawn = np.random.default_rng(seed).integers(2 * edges + len(missing.tails), size=count)
    forward, back = drawn[drawn < edges], drawn[(drawn >= edges) & (drawn < 2 * edges)] - edges
    places = drawn[drawn >= 2 * edges] - 2 * edges
    of_missing = np.searchsorted(missing.bounds, places, side="right") - 1
    relations = known.relations.astype(np.int64)
    steps = np.concatenate(
        [relations[forward], relations[back] + known.num_relations, missing.steps[of_missing]]
    )
    heads = np.concatenate([known.heads[forward], known.tails[back], missing.heads[of_missing]])
    rows, counts = np.unique(np.stack([steps, heads], axis=1), axis=0, return_counts=True)
    pairs = zip(missing.steps.tolist(), missing.heads.tolist(), strict=True)
    place = {pair: number for number, pair in enumerate(pairs)}
    none = np.empty(0, dtype=np.int32)
    tails = [missing.of(place[row]) if row in place else none for row in map(tuple, rows.tolist())]
    found = Missing(
        steps=rows[:, 0],
        heads=rows[:, 1].astype(np.int32),
        bounds=np.cumsum([0, *map(len, tails)], dtype=np.int64),
        tails=np.concatenate([none, *tails]),
    )
    return found, counts
