from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import InputError
from scenes.metrics import ScoredImage, recall, recall_at, triplet_ranks

Case = tuple[np.ndarray, np.ndarray]  # scores and what is said, (pairs, predicates) each


@st.composite
def cases(draw: st.DrawFn) -> list[Case]:
    found = []
    for _ in range(draw(st.integers(1, 4))):
        pairs = draw(st.integers(0, 5))
        cells = st.lists(st.integers(0, 3), min_size=pairs * 3, max_size=pairs * 3)
        flags = st.lists(st.booleans(), min_size=pairs * 3, max_size=pairs * 3)
        scores = np.array(draw(cells), dtype=float).reshape(pairs, 3) / 3
        found.append((scores, np.array(draw(flags), dtype=bool).reshape(pairs, 3)))
    return found


def slow_hits(case: Case, k: int, constrained: bool) -> list[tuple[int, int]]:
    """Sort all guesses, wrong before right among equals, and walk down the list."""
    scores, said = case
    guesses = [
        (-scores[p, q], bool(said[p, q]), p, q)
        for p in range(scores.shape[0])
        for q in range(scores.shape[1])
    ]
    if constrained:
        guesses = [min(g for g in guesses if g[2] == p) for p in range(scores.shape[0])]
    return [(p, q) for _, right, p, q in sorted(guesses)[:k] if right]


@given(cases(), st.integers(1, 8), st.booleans())
@settings(max_examples=150, deadline=None)
def test_recall_equals_the_slow_reference(given: list[Case], k: int, constrained: bool) -> None:
    images = [ScoredImage.of_pairs(*case) for case in given]
    total = sum(int(said.sum()) for _, said in given)
    if total == 0:
        with pytest.raises(InputError):
            recall_at(images, k, constrained=constrained)
        return
    hits = [slow_hits(case, k, constrained) for case in given]
    report = recall_at(images, k, constrained=constrained)
    assert report.n == total
    assert report.recall == pytest.approx(sum(map(len, hits)) / total)
    each = [
        len(found) / said.sum() for found, (_, said) in zip(hits, given, strict=True) if said.any()
    ]
    assert report.recall_by_image == pytest.approx(np.mean(each))
    by = []
    for predicate in range(3):
        of = sum(int(said[:, predicate].sum()) for _, said in given)
        if of:
            by.append(sum(q == predicate for found in hits for _, q in found) / of)
    assert report.mean_recall == pytest.approx(np.mean(by))


@given(cases(), st.integers(1, 8))
@settings(max_examples=50, deadline=None)
def test_units_average_to_the_figure_they_belong_to(given: list[Case], k: int) -> None:
    images = [ScoredImage.of_pairs(*case) for case in given]
    if any(said.any() for _, said in given):
        report = recall_at(images, k, constrained=False)
        assert len(report.images) == sum(bool(said.any()) for _, said in given)
        assert report.recall_units.mean() == pytest.approx(report.recall)
        assert report.mean_recall_units.mean() == pytest.approx(report.mean_recall)


def test_the_standard_error_is_that_of_a_bootstrap_over_images() -> None:
    generator = np.random.default_rng(0)
    images = []
    for _ in range(60):
        pairs = int(generator.integers(2, 9))
        said = generator.random((pairs, 4)) < [0.3, 0.2, 0.1, 0.1]
        images.append(ScoredImage.of_pairs(generator.random((pairs, 4)) + 0.3 * said, said))
    report = recall_at(images, 5, constrained=True)
    draws = []
    for _ in range(300):
        drawn = [images[n] for n in generator.integers(60, size=60)]
        one = recall_at(drawn, 5, constrained=True)
        draws.append((one.recall, one.mean_recall))
    spread = np.std(draws, axis=0)
    assert report.standard_error == pytest.approx(spread[0], rel=0.2)
    assert report.mean_recall_standard_error == pytest.approx(spread[1], rel=0.2)


def test_a_group_of_triplets_keeps_the_ranks_that_it_has_among_all() -> None:
    said = np.eye(3, dtype=bool)
    scores = np.diag([3.0, 2.0, 1.0])
    ranks = triplet_ranks([ScoredImage.of_pairs(scores, said)], constrained=True)
    assert ranks.rank.tolist() == [1, 2, 3]
    last = ranks.only(ranks.predicate == 2)
    assert recall(last, 2).recall == 0
    assert recall(last, 3).recall == 1
    assert np.isnan(recall(last, 3).by_predicate[:2]).all()


def test_a_triplet_without_a_pair_counts_as_missed_and_one_with_two_pairs_once() -> None:
    scores = np.array([[0.9], [0.8]])
    image = ScoredImage(scores, np.array([0, 0]), np.array([[0, 0], [1, 0]]))
    assert triplet_ranks([image], constrained=True).rank.tolist() == [1, np.inf]
    assert recall_at([image], 2, constrained=True).recall == 0.5


def test_a_constant_scorer_finds_nothing_that_could_be_luck() -> None:
    gold = np.zeros((4, 3), bool)
    gold[0, 0] = True
    image = ScoredImage.of_pairs(np.ones((4, 3)), gold)
    assert recall_at([image], 4, constrained=True).recall == 0
    assert recall_at([image], 11, constrained=False).recall == 0
    assert recall_at([image], 12, constrained=False).recall == 1


def test_scores_that_are_not_finite_and_wrong_shapes_are_refused() -> None:
    gold = np.ones((1, 2), bool)
    with pytest.raises(InputError, match="finite"):
        recall_at([ScoredImage.of_pairs(np.array([[np.nan, 1]]), gold)], 1, constrained=True)
    with pytest.raises(InputError, match="shape"):
        ScoredImage.of_pairs(np.ones((2, 2)), gold)
    with pytest.raises(InputError, match="K must"):
        recall_at([ScoredImage.of_pairs(np.ones((1, 2)), gold)], 0, constrained=True)
    with pytest.raises(InputError, match="none"):
        recall_at([], 1, constrained=True)
