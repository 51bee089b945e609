"""Rows that an ensemble is fitted on: heads with a validation edge, and which tails they miss.

Of each row the best new tails by the plain sum of all models are kept, all missing ones, and a
uniform sample that stands for the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reasoning.predictors.ensemble.config import EnsembleConfig
from reasoning.predictors.ensemble.evidence import Evidence

__all__ = ["Examples", "Missing", "examples_of", "missing_tails"]

_MOST_MISSING = 32
"""Missing tails of one row that are kept besides those among its best."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Missing:
    """Edges to be predicted, in both directions, grouped by (directed relation, head).

    Attributes:
        steps: ``(n,)`` directed relation of each row, ascending.
        heads: ``(n,)`` int32.
        bounds: ``(n + 1,)`` where each row's tails stand.
        tails: int32.
    """

    steps: NDArray[np.int64]
    heads: NDArray[np.int32]
    bounds: NDArray[np.int64]
    tails: NDArray[np.int32]

    def of(self, row: int) -> NDArray[np.int32]:
        """Return the missing tails of a row, ascending."""
        return self.tails[self.bounds[row] : self.bounds[row + 1]]

    def taking(self, rows: NDArray[np.int64]) -> Missing:
        """Return some of the rows, in ascending order."""
        parts = [self.of(row) for row in rows.tolist()]
        return Missing(
            steps=self.steps[rows],
            heads=self.heads[rows],
            bounds=np.cumsum([0, *map(len, parts)], dtype=np.int64),
            tails=np.concatenate([np.empty(0, dtype=np.int32), *parts]),
        )


def missing_tails(edges: NDArray[np.int32], num_relations: int) -> Missing:
    """Group ``(n, 3)`` head, relation, tail ids by row, in both directions."""
    heads, relations, tails = edges.astype(np.int64).T
    both = np.stack(
        [
            np.concatenate([relations, relations + num_relations]),
            np.concatenate([heads, tails]),
            np.concatenate([tails, heads]),
        ],
        axis=1,
    )
    both = np.unique(both, axis=0)
    rows, first = np.unique(both[:, :2], axis=0, return_index=True)
    return Missing(
        steps=rows[:, 0],
        heads=rows[:, 1].astype(np.int32),
        bounds=np.append(first, len(both)).astype(np.int64),
        tails=both[:, 2].astype(np.int32),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
    """Evidence for some tails of each row.

    Attributes:
        steps: ``(n,)`` directed relation of each row.
        columns: ``(n, width, num_columns)`` float32.
        hits: ``(n, width)`` which tails are missing edges.
        log_weights: ``(n, width)`` float32, the logarithm of how many tails each stands for; −inf
            where a row is shorter.
        num_known: ``(n,)`` float32, known tails of each row.
        num_missing: ``(n,)`` float32, missing tails of each row.
    """

    steps: NDArray[np.int64]
    columns: NDArray[np.float32]
    hits: NDArray[np.bool_]
    log_weights: NDArray[np.float32]
    num_known: NDArray[np.float32]
    num_missing: NDArray[np.float32]

    def taking(self, rows: NDArray[np.int64]) -> Examples:
        """Return some of the rows."""
        return Examples(
            steps=self.steps[rows],
            columns=self.columns[rows],
            hits=self.hits[rows],
            log_weights=self.log_weights[rows],
            num_known=self.num_known[rows],
            num_missing=self.num_missing[rows],
        )


def examples_of(
    evidence: Evidence,
    missing: Missing,
    config: EnsembleConfig,
    *,
    seed: int,
    reported: Callable[[int], None],
) -> Examples:
    """Return the examples of all rows.

    Args:
        evidence: Of the graph without the missing edges.
        missing: Rows.
        config: How many tails are kept.
        seed: Of the sample.
        reported: Told the rows done.
    """
    size = evidence.snapshot.num_entities
    block = max(1, config.block_cells // max(1, size))
    width = config.candidates + _MOST_MISSING + config.sampled
    generator = np.random.default_rng(seed)
    columns = np.zeros((len(missing.steps), width, evidence.num_columns), dtype=np.float32)
    hits = np.zeros(columns.shape[:2], dtype=np.bool_)
    log_weights = np.full(columns.shape[:2], -np.inf, dtype=np.float32)
    num_known = np.zeros(len(missing.steps), dtype=np.float32)
    for step in np.unique(missing.steps).tolist():
        low, high = np.searchsorted(missing.steps, [step, step + 1])
        of_tails = evidence.of_tails(step)
        for start in range(low, high, block):
            rows = np.arange(start, min(high, start + block))
            heads = missing.heads[rows]
            scores = evidence.scores(heads, step)
            known = evidence.edges.of(step)[heads]
            num_known[rows] = np.diff(known.indptr)
            total = np.sum(scores, axis=0)
            total[known.nonzero()] = -np.inf
            best = _best(total, config.candidates)
            for place, row in enumerate(rows.tolist()):
                tails, logs = _chosen(
                    best[place], known[place].indices, missing.of(row), size, config, generator
                )
                count = len(tails)
                hits[row, :count] = np.isin(tails, missing.of(row))
                log_weights[row, :count] = logs
                parts = [scores_of[place, tails] for scores_of in scores]
                columns[row, :count] = np.stack([*parts, *of_tails[:, tails]], axis=1)
            reported(int(rows[-1]) + 1)
    return Examples(
        steps=missing.steps,
        columns=columns,
        hits=hits,
        log_weights=log_weights,
        num_known=num_known,
        num_missing=np.diff(missing.bounds).astype(np.float32),
    )


def _best(total: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Return the columns of the largest values of each row, in no order."""
    if count >= total.shape[1]:
        return np.tile(np.arange(total.shape[1]), (len(total), 1))
    return np.argpartition(-total, count - 1, axis=1)[:, :count].astype(np.int64)


def _chosen(
    best: NDArray[np.int64],
    known: NDArray[np.int32],
    missing: NDArray[np.int32],
    size: int,
    config: EnsembleConfig,
    generator: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the tails of a row that are kept, and the logarithm of what each stands for."""
    best = np.setdiff1d(best, known)
    extra = np.setdiff1d(missing, best)[:_MOST_MISSING]
    told_apart = np.concatenate([best, extra])
    drawn = np.unique(generator.integers(size, size=config.sampled))
    rest = np.setdiff1d(drawn, np.concatenate([told_apart, known, missing]))
    unseen = size - len(told_apart) - len(known)
    each = np.log(max(1.0, unseen / max(1, len(rest))))
    logs = np.concatenate([np.zeros(len(told_apart)), np.full(len(rest), each)])
    return np.concatenate([told_apart, rest]).astype(np.int64), logs.astype(np.float32)
