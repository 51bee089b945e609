"""Ranks: ties are honest, filters leave out, and a score that is none is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation import hits_at, mean_by_group, mrr, query_ranks, ranks
from kg.errors import InputError

small_scores = st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=2, max_size=9)


def naive_rank(scores: list[float], target: int, filtered: list[int]) -> tuple[int, int, int]:
    """Return optimistic rank, pessimistic rank and number of candidates by looking at each."""
    others = [s for i, s in enumerate(scores) if i != target and i not in filtered]
    higher = sum(s > scores[target] for s in others)
    equal = sum(s == scores[target] for s in others)
    return 1 + higher, 1 + higher + equal, 1 + len(others)


@given(small_scores, st.data())
def test_ranks_equal_the_naive_count(scores: list[float], data: st.DataObject) -> None:
    target = data.draw(st.integers(0, len(scores) - 1))
    filtered = data.draw(st.lists(st.integers(0, len(scores) - 1), max_size=4))
    found = ranks(np.array([scores]), [target], [filtered])
    expected = naive_rank(scores, target, filtered)
    assert (found.optimistic[0], found.pessimistic[0], found.candidates[0]) == expected
    assert found.realistic[0] == (expected[0] + expected[1]) / 2


@given(small_scores, st.data())
def test_ranks_of_a_query_equal_ranks_of_rows(scores: list[float], data: st.DataObject) -> None:
    columns = st.integers(0, len(scores) - 1)
    hard = data.draw(st.lists(columns, min_size=1, max_size=4, unique=True))
    easy = data.draw(st.lists(columns, max_size=3))
    by_query = query_ranks(np.array(scores), hard, easy)
    rows = ranks(np.array([scores] * len(hard)), hard, [[*hard, *easy]] * len(hard))
    for name in ("optimistic", "pessimistic", "candidates"):
        assert getattr(by_query, name).tolist() == getattr(rows, name).tolist()


def test_many_hard_answers_are_ranked_like_few() -> None:
    scores = np.random.default_rng(3).integers(0, 40, 200).astype(np.float32)
    hard, easy = np.arange(50), np.arange(60, 90)
    together = query_ranks(scores, hard, easy).realistic
    alone = [query_ranks(scores, [h], [*hard, *easy]).realistic[0] for h in hard]
    assert together.tolist() == alone


@given(small_scores, st.data())
def test_a_mask_equals_lists(scores: list[float], data: st.DataObject) -> None:
    target = data.draw(st.integers(0, len(scores) - 1))
    mask = np.array(
        [data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))]
    )
    before = mask.copy()
    found = ranks(np.array([scores]), [target], mask)
    listed = ranks(np.array([scores]), [target], [np.flatnonzero(mask[0])])
    assert found.realistic.tolist() == listed.realistic.tolist()
    assert (mask == before).all()


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_a_constant_scorer_stands_in_the_middle(count: int) -> None:
    found = ranks(np.zeros((3, count)), [0, count - 1, count // 2])
    assert found.realistic.tolist() == [(count + 1) / 2] * 3
    assert mrr(found) == pytest.approx(2 / (count + 1))
    assert hits_at(found, count // 2) == 0.0
    assert hits_at(found, count) == 1.0


def test_a_random_scorer_averages_the_harmonic_number() -> None:
    count, draws = 20, 20_000
    scores = np.random.default_rng(7).random((draws, count))
    found = ranks(scores, np.arange(draws) % count)
    expected = sum(1 / rank for rank in range(1, count + 1)) / count
    error = np.std(1 / found.realistic) / np.sqrt(draws)
    assert abs(mrr(found) - expected) < 4 * error
    assert hits_at(found, 5) == pytest.approx(5 / count, abs=0.015)


def test_ties_move_the_three_ranks_apart() -> None:
    found = ranks(np.array([[1.0, 1.0, 1.0, 0.0]]), [0])
    assert mrr(found, tie="optimistic") == 1.0
    assert mrr(found, tie="pessimistic") == pytest.approx(1 / 3)
    assert mrr(found) == 0.5


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_refused_with_its_row(wrong: float) -> None:
    scores = np.zeros((4, 3))
    scores[2, 1] = wrong
    with pytest.raises(InputError, match="not finite") as caught:
        ranks(scores, [0, 0, 0, 0])
    assert caught.value.where == "row 2"
    with pytest.raises(InputError, match="not finite"):
        query_ranks(scores[2], [0])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="do not fit"):
        ranks(np.zeros((2, 3)), [0])
    with pytest.raises(InputError, match="target 3 is none"):
        ranks(np.zeros((2, 3)), [0, 3])
    with pytest.raises(InputError, match="filter"):
        ranks(np.zeros((2, 3)), [0, 1], [[1]])
    with pytest.raises(InputError, match="filter"):
        ranks(np.zeros((2, 3)), [0, 1], np.zeros((2, 2), dtype=bool))
    with pytest.raises(InputError, match="filtered answer of row 1"):
        ranks(np.zeros((2, 3)), [0, 1], [[1], [-1]])
    with pytest.raises(InputError, match="no ranks"):
        mrr(ranks(np.zeros((0, 3)), []))


def test_means_are_taken_by_query_first() -> None:
    numbers, means = mean_by_group(np.array([1.0, 0.0, 0.5]), [4, 4, 9])
    assert (numbers.tolist(), means.tolist()) == ([4, 9], [0.5, 0.5])
