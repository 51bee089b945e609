"""Ranks of the hard answers of queries, in batches that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.ranks import query_ranks
from kg.errors import InputError, SettingError
from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.protocols import ScoringAnswerer
from reasoning.query import Negation, walk
from reasoning.sampling import QuerySet

__all__ = ["BatchConfig", "RankedQueries", "batches", "evaluate_queries", "rank_queries"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchConfig:
    """How many queries are scored at once.

    Attributes:
        queries: Most queries a batch, at least 1.
        score_mb: Most MiB that the scores of a batch take, at least 1; one query always runs.
    """

    queries: int = 256
    score_mb: int = 256

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if self.queries < 1 or self.score_mb < 1:
            raise SettingError("a batch needs at least 1 query and 1 MiB of scores")

    def rows(self, num_entities: int) -> int:
        """Return the queries of a batch on a graph of some size."""
        fitting = self.score_mb * 2**20 // (4 * max(num_entities, 1))
        return max(1, min(self.queries, fitting))


@dataclass(frozen=True, kw_only=True, eq=False)
class RankedQueries:
    """The ranks of the hard answers of queries of one structure.

    Attributes:
        structure: Its name.
        negation: Whether it holds a negation.
        num_queries: How many queries there are.
        queries: ``(num_answers,)`` int64, the row of the query of each hard answer.
        ranks: ``(num_answers,)`` float64, filtered realistic ranks.
        hardness: ``(num_answers,)`` int16 of `reasoning.hardness`, or None.
    """

    structure: str
    negation: bool
    num_queries: int
    queries: NDArray[np.int64]
    ranks: NDArray[np.float64]
    hardness: NDArray[np.int16] | None = None

    @classmethod
    def of(
        cls,
        queries: QuerySet,
        ranks: NDArray[np.float64],
        hardness: Sequence[NDArray[np.int16]] | None = None,
    ) -> RankedQueries:
        """Join queries with the ranks of all their hard answers, in order.

        Raises:
            InputError: There are more or fewer ranks than hard answers.
        """
        counts = [len(hard) for hard in queries.hard]
        if sum(counts) != len(ranks):
            raise InputError(f"{len(ranks)} ranks do not fit {sum(counts)} hard answers")
        return cls(
            structure=queries.structure.name,
            negation=any(isinstance(node, Negation) for node in walk(queries.structure.tree)),
            num_queries=len(queries),
            queries=np.repeat(np.arange(len(queries)), counts),
            ranks=ranks,
            hardness=None if hardness is None else np.concatenate([*hardness, _NONE]),
        )


_NONE = np.empty(0, dtype=np.int16)


def batches(queries: QuerySet, rows: int) -> Iterator[slice]:
    """Yield the rows of a set in order, `rows` at a time."""
    for first in range(0, len(queries), rows):
        yield slice(first, min(first + rows, len(queries)))


def rank_queries(
    answerer: ScoringAnswerer, queries: QuerySet, rows: slice, snapshot: Snapshot
) -> NDArray[np.float64]:
    """Rank the hard answers of some queries.

    Args:
        answerer: Scores all entities.
        queries: Of one structure.
        rows: Which of them; their scores are held at once.
        snapshot: Any with the ids that the queries are written in.

    Returns:
        Filtered realistic ranks of all hard answers, query by query.

    Raises:
        InputError: A score is not finite, or scores have another shape.
    """
    numbers = range(rows.start, rows.stop)
    scores = answerer.scores([queries.tree(row, snapshot) for row in numbers])
    if scores.shape != (len(numbers), snapshot.num_entities):
        raise InputError(f"scores of shape {scores.shape} for {len(numbers)} queries")
    found = [
        query_ranks(line, queries.hard[row], queries.easy[row]).realistic
        for row, line in zip(numbers, scores, strict=True)
    ]
    return np.concatenate(found) if found else np.empty(0)


def evaluate_queries(
    answerer: ScoringAnswerer,
    sets: Sequence[QuerySet],
    snapshot: Snapshot,
    *,
    hardness: Sequence[Sequence[NDArray[np.int16]]] | None = None,
    config: BatchConfig | None = None,
    progress: Progress = silent,
) -> tuple[RankedQueries, ...]:
    """Rank every hard answer of sets of queries.

    Args:
        answerer: Scores all entities.
        sets: Queries with their answers (`reasoning.query_files`, `reasoning.sampling`).
        snapshot: Any with the ids that the queries are written in.
        hardness: Of each set, from `reasoning.hardness.hardness_of`.
        config: Size of a batch.
        progress: Is told queries done of all queries.

    Returns:
        Ranks of each set, in order.

    Raises:
        InputError: A score is not finite.

    Example:
        >>> evaluate_queries(answerer, sets, graph.full)    # doctest: +SKIP
    """
    size = (config or BatchConfig()).rows(snapshot.num_entities)
    total, done = sum(map(len, sets)), 0
    found = []
    for number, queries in enumerate(sets):
        parts = [np.empty(0)]
        for rows in batches(queries, size):
            parts.append(rank_queries(answerer, queries, rows, snapshot))
            done += rows.stop - rows.start
            progress(done, total)
        costs = None if hardness is None else hardness[number]
        found.append(RankedQueries.of(queries, np.concatenate(parts), costs))
    return tuple(found)
