from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import InputError
from scenes.metrics import ScoredImage, recall_at


@st.composite
def images(draw: st.DrawFn) -> list[ScoredImage]:
    found = []
    for _ in range(draw(st.integers(1, 4))):
        pairs = draw(st.integers(1, 5))
        cells = st.lists(st.integers(0, 3), min_size=pairs * 3, max_size=pairs * 3)
        flags = st.lists(st.booleans(), min_size=pairs * 3, max_size=pairs * 3)
        scores = np.array(draw(cells), dtype=float).reshape(pairs, 3) / 3
        found.append(ScoredImage(scores, np.array(draw(flags)).reshape(pairs, 3)))
    return found


def slow_hits(image: ScoredImage, k: int, constrained: bool) -> list[tuple[int, int]]:
    """Sort all guesses, wrong before right among equals, and walk down the list."""
    guesses = [
        (-image.scores[p, q], bool(image.gold[p, q]), p, q)
        for p in range(image.scores.shape[0])
        for q in range(image.scores.shape[1])
    ]
    if constrained:
        guesses = [min(g for g in guesses if g[2] == p) for p in range(image.scores.shape[0])]
    return [(p, q) for _, right, p, q in sorted(guesses)[:k] if right]


@given(images(), st.integers(1, 8), st.booleans())
@settings(max_examples=200, deadline=None)
def test_recall_equals_the_slow_reference(
    given_images: list[ScoredImage], k: int, constrained: bool
) -> None:
    total = sum(int(image.gold.sum()) for image in given_images)
    if total == 0:
        with pytest.raises(InputError):
            recall_at(given_images, k, constrained=constrained)
        return
    hits = [slow_hits(image, k, constrained) for image in given_images]
    report = recall_at(given_images, k, constrained=constrained)
    assert report.n == total
    assert report.recall == pytest.approx(sum(map(len, hits)) / total)
    each = [
        len(found) / image.gold.sum()
        for found, image in zip(hits, given_images, strict=True)
        if image.gold.any()
    ]
    assert report.recall_by_image == pytest.approx(np.mean(each))
    by = []
    for predicate in range(3):
        of = sum(int(image.gold[:, predicate].sum()) for image in given_images)
        if of:
            by.append(sum(q == predicate for found in hits for _, q in found) / of)
    assert report.mean_recall == pytest.approx(np.mean(by))


def test_a_constant_scorer_finds_nothing_that_could_be_luck() -> None:
    gold = np.zeros((4, 3), bool)
    gold[0, 0] = True
    image = ScoredImage(np.ones((4, 3)), gold)
    assert recall_at([image], 4, constrained=True).recall == 0
    assert recall_at([image], 11, constrained=False).recall == 0
    assert recall_at([image], 12, constrained=False).recall == 1


def test_scores_that_are_not_finite_and_wrong_shapes_are_refused() -> None:
    gold = np.ones((1, 2), bool)
    with pytest.raises(InputError, match="finite"):
        recall_at([ScoredImage(np.array([[np.nan, 1.0]]), gold)], 1, constrained=True)
    with pytest.raises(InputError, match="shape"):
        recall_at([ScoredImage(np.ones((2, 2)), gold)], 1, constrained=True)
    with pytest.raises(InputError, match="K must"):
        recall_at([ScoredImage(np.ones((1, 2)), gold)], 0, constrained=True)
    with pytest.raises(InputError, match="none"):
        recall_at([], 1, constrained=True)
