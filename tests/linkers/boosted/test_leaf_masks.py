"""Masks of leaves say what a walk from node to node says, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from linkers.boosted.trees import Forest


def made_forest(generator: np.random.Generator, trees: int, leaves: int, columns: int) -> Forest:
    """Return trees of random shape, whose thresholds no number of 32 bits meets exactly."""
    children: list[tuple[int, int]] = []
    inner: list[bool] = []
    roots = []
    for _ in range(trees):
        roots.append(len(inner))
        ends = [len(inner)]
        inner, children = [*inner, False], [*children, (0, 0)]
        while len(ends) < leaves:
            node = ends.pop(int(generator.integers(len(ends))))
            inner[node], children[node] = True, (len(inner), len(inner) + 1)
            ends += children[node]
            inner, children = [*inner, False, False], [*children, (0, 0), (0, 0)]
    asks = np.array(inner)
    thresholds = generator.integers(-3, 4, len(asks)) + generator.choice([0.0, 1e-9, -1e-9])
    return Forest(
        column=np.where(asks, generator.integers(columns, size=len(asks)), -1).astype(np.int32),
        threshold=np.where(asks, thresholds, 0.0),
        absent_left=generator.random(len(asks)) < 0.5,
        children=np.array(children, dtype=np.int32),
        answer=np.where(asks, 0.0, generator.standard_normal(len(asks))),
        roots=np.array(roots, dtype=np.int32),
        start=-0.5,
        columns=columns,
    )


def walked(forest: Forest, row: NDArray[np.float32]) -> float:
    total = 0.0
    for root in forest.roots.tolist():
        node = root
        while forest.column[node] >= 0:
            value = float(row[forest.column[node]])
            left = forest.absent_left[node] if np.isnan(value) else value <= forest.threshold[node]
            node = int(forest.children[node][0 if left else 1])
        total += float(forest.answer[node])
    return total + forest.start


@pytest.mark.parametrize("leaves", [1, 2, 31, 32, 33, 64, 97])
def test_masks_of_leaves_score_as_a_walk_does(leaves: int) -> None:
    generator = np.random.default_rng(leaves)
    forest = made_forest(generator, trees=4, leaves=leaves, columns=3)
    for count in (0, 1, 64, 150):
        values = generator.integers(-4, 5, (count, 3)).astype(np.float32)  # many meet a threshold
        values[generator.random(values.shape) < 0.2] = np.nan
        values[generator.random(values.shape) < 0.1] = np.inf
        plain = np.array([walked(forest, row) for row in values], dtype=np.float64)
        found = forest.scores(values)
        np.testing.assert_array_equal(found, plain.astype(np.float32).astype(np.float64))
        np.testing.assert_array_equal(forest.scores(np.asfortranarray(values)), found)
