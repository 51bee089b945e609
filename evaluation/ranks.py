"""Ranks with honest ties, and the two figures that are made of them.

The optimistic rank of a true answer is 1 + how many candidates score higher; the pessimistic rank
also counts those that score equal; the realistic rank is their mean. With a realistic rank a scorer
that gives everything the same score stands in the middle, (N + 1) / 2, not first.

Ranks are filtered: the other correct answers of a row are no candidates. A score that is not finite
is refused, since a comparison with NaN is false and would rank it first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kg.errors import InputError

__all__ = ["Ranks", "hits_at", "mean_by_group", "mrr", "query_ranks", "ranks"]

Scores = NDArray[np.floating[Any]]
Filtered = NDArray[np.bool_] | Sequence[ArrayLike]
Tie = Literal["realistic", "optimistic", "pessimistic"]

_FEW = 16
"""Up to so many true scores are each compared with all scores; for more these are sorted."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranks:
    """Ranks of true answers; 1 is best.

    Attributes:
        optimistic: ``(n,)`` int64, ties broken in favour.
        pessimistic: ``(n,)`` int64, ties broken against.
        candidates: ``(n,)`` int64, how many were ranked, the true answer included.
    """

    optimistic: NDArray[np.int64]
    pessimistic: NDArray[np.int64]
    candidates: NDArray[np.int64]

    @property
    def realistic(self) -> NDArray[np.float64]:
        """``(n,)`` mean of the optimistic and the pessimistic rank."""
        return (self.optimistic + self.pessimistic) / 2.0

    def __len__(self) -> int:
        """Return how many true answers were ranked."""
        return len(self.optimistic)


def ranks(scores: Scores, targets: ArrayLike, filtered: Filtered | None = None) -> Ranks:
    """Rank one true answer in each row of scores.

    Args:
        scores: ``(n, num_candidates)``, higher is better.
        targets: ``(n,)`` column of the true answer of each row.
        filtered: Which candidates of each row are left out: an ``(n, num_candidates)`` mask, or
            for each row the columns of all its correct answers. The target itself always stays.

    Raises:
        InputError: Shapes do not agree, a target lies outside, or a score is not finite; the row
            is named.

    Example:
        >>> ranks(np.array([[1.0, 3.0, 2.0]]), [2], [[1, 2]]).realistic.tolist()
        [1.0]
    """
    rows = np.asarray(targets, dtype=np.int64)
    if scores.ndim != 2 or rows.shape != scores.shape[:1]:
        raise InputError(f"scores of shape {scores.shape} do not fit targets of {rows.shape}")
    _check_finite(scores)
    _check_ids(rows, scores.shape[1], "target")
    out = _mask(filtered, scores.shape)
    every = np.arange(len(rows))
    out[every, rows] = False
    true = scores[every, rows][:, None]
    counted = ~out
    return Ranks(
        optimistic=1 + np.count_nonzero((scores > true) & counted, axis=1),
        pessimistic=np.count_nonzero((scores >= true) & counted, axis=1),
        candidates=np.count_nonzero(counted, axis=1),
    )


def query_ranks(scores: Scores, hard: ArrayLike, easy: ArrayLike = ()) -> Ranks:
    """Rank each hard answer of one query among what is no answer.

    Args:
        scores: ``(num_candidates,)``, higher is better.
        hard: Columns of the answers to rank.
        easy: Columns of the other answers, which are left out.

    Raises:
        InputError: A column lies outside, or a score is not finite.

    Example:
        >>> query_ranks(np.array([0.9, 0.8, 0.5, 0.1]), hard=[2, 1], easy=[0]).realistic.tolist()
        [1.0, 1.0]
    """
    if scores.ndim != 1:
        raise InputError(f"scores of one query have one dimension, not {scores.ndim}")
    _check_finite(scores[None, :])
    wanted = np.asarray(hard, dtype=np.int64).reshape(-1)
    others = np.asarray(easy, dtype=np.int64).reshape(-1)
    _check_ids(wanted, len(scores), "hard answer")
    _check_ids(others, len(scores), "easy answer")
    true = scores[wanted]
    # Counting all scores and taking the answers' own away needs no copy without the answers.
    columns = np.sort(np.concatenate([wanted, others]))
    answers = np.sort(scores[columns[np.diff(columns, prepend=-1) > 0]])
    higher, equal_or_higher = _counts_above(scores, true)
    higher -= len(answers) - np.searchsorted(answers, true, side="right")
    equal_or_higher -= len(answers) - np.searchsorted(answers, true, side="left")
    return Ranks(
        optimistic=1 + higher,
        pessimistic=1 + equal_or_higher,
        candidates=np.full(len(wanted), 1 + len(scores) - len(answers), dtype=np.int64),
    )


def _counts_above(
    scores: Scores, true: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many scores lie above each true one, and how many above or level with it."""
    if len(true) <= _FEW:
        higher = [np.count_nonzero(scores > value) for value in true]
        level = [np.count_nonzero(scores >= value) for value in true]
        return np.array(higher, dtype=np.int64), np.array(level, dtype=np.int64)
    ordered = np.sort(scores)
    return (
        len(scores) - np.searchsorted(ordered, true, side="right"),
        len(scores) - np.searchsorted(ordered, true, side="left"),
    )


def mrr(found: Ranks, *, tie: Tie = "realistic") -> float:
    """Return the mean reciprocal rank, in [0, 1].

    Raises:
        InputError: There are no ranks.
    """
    return float(np.mean(1.0 / _some(found, tie)))


def hits_at(found: Ranks, k: int, *, tie: Tie = "realistic") -> float:
    """Return the share of ranks that are at most k.

    Raises:
        InputError: There are no ranks.
    """
    return float(np.mean(_some(found, tie) <= k))


def mean_by_group(
    values: NDArray[np.floating[Any]], groups: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the group numbers, ascending, and the mean of the values of each.

    The figures of a query set are means over hard answers of a query, then over queries: group the
    reciprocal ranks by query first.

    Args:
        values: ``(n,)``.
        groups: ``(n,)`` integers.

    Example:
        >>> mean_by_group(np.array([1.0, 0.5, 0.2]), [7, 7, 3])[1].tolist()
        [0.2, 0.75]
    """
    numbers, places = np.unique(np.asarray(groups, dtype=np.int64), return_inverse=True)
    sums = np.bincount(places, weights=values, minlength=len(numbers))
    return numbers, sums / np.bincount(places, minlength=len(numbers))


def _some(found: Ranks, tie: Tie) -> NDArray[np.float64]:
    if len(found) == 0:
        raise InputError("there are no ranks to average", hint="check that the split is not empty")
    return np.asarray(getattr(found, tie), dtype=np.float64)


def _mask(filtered: Filtered | None, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    if filtered is None:
        return np.zeros(shape, dtype=np.bool_)
    if isinstance(filtered, np.ndarray) and filtered.dtype == np.bool_:
        if filtered.shape != shape:
            raise InputError(f"a filter of shape {filtered.shape} does not fit scores of {shape}")
        return filtered.copy()
    if len(filtered) != shape[0]:
        raise InputError(f"a filter of {len(filtered)} rows does not fit scores of {shape}")
    mask = np.zeros(shape, dtype=np.bool_)
    for row, columns in enumerate(filtered):
        known = np.asarray(columns, dtype=np.int64).reshape(-1)
        _check_ids(known, shape[1], f"filtered answer of row {row}")
        mask[row, known] = True
    return mask


def _check_finite(scores: Scores) -> None:
    finite = np.isfinite(scores)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise InputError(f"the score {scores[row, column]} is not finite", where=f"row {row}")


def _check_ids(ids: NDArray[np.int64], count: int, what: str) -> None:
    wrong = np.flatnonzero((ids < 0) | (ids >= count))
    if len(wrong):
        raise InputError(
            f"{what} {ids[wrong[0]]} is none of {count} columns", where=f"row {wrong[0]}"
        )
