"""The likely answers of validation queries, judged by the held-out edges.

Calibration of answers is fitted and measured on them: the ten best likely answers of each query
(`specs`: over all candidates the calibration error is near 0 whatever a model does).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kg.model import EdgeKey
from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.answers import Answers
from reasoning.benchmark_sampling import sample_one_hop_queries
from reasoning.id_sets import answer_codes, directed_edges
from reasoning.protocols import Answerer
from reasoning.query import Query
from reasoning.sampling import QuerySet, sample_queries
from reasoning.structures import STRUCTURES

__all__ = [
    "BEST_ANSWERS",
    "HingesOf",
    "JudgedAnswers",
    "further_answers",
    "judged_answers",
    "validation_queries",
]

HingesOf = Callable[[Query, NDArray[np.int64]], "tuple[EdgeKey | None, ...]"]
"""Given a query in normal form and entity ids, finds the edge that each of these answers hangs on.
"""

BEST_ANSWERS = 10
"""Likely answers of each query that a map is fitted and judged on (`specs`: population)."""

_EDGES = "1p"
_EDGE_QUERIES = 4
"""So many times as many queries of one edge are drawn: their answers are the new edges."""

_BATCH = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgedAnswers:
    """The best likely answers of one query and which of them are true.

    Attributes:
        query: In normal form.
        scores: ``(n,)`` falling, in [0, 1].
        outcomes: ``(n,)`` whether the held-out edges prove each.
        weights: ``(n,)`` how much each counts where a map is fitted; None for 1 each.
        hinges: The edge that each hangs on (`reasoning.hinges`); None where none was asked for.
    """

    query: Query
    scores: NDArray[np.float64]
    outcomes: NDArray[np.bool_]
    weights: NDArray[np.float64] | None = None
    hinges: tuple[EdgeKey | None, ...] | None = None


def validation_queries(
    known: Snapshot, full: Snapshot, count: int, *, seed: int = 0
) -> list[QuerySet]:
    """Draw queries of the fourteen structures with answers that only the fuller graph gives.

    Args:
        known: The graph of the answerer, for instance the training edges.
        full: The same with the validation edges.
        count: Most queries of a structure, and of one edge four times as many.
        seed: Of the draw.
    """
    edges, more = directed_edges(known), directed_edges(full)
    generator = np.random.default_rng(seed)
    drawn = [
        sample_one_hop_queries(_EDGE_QUERIES * count, more, generator=generator, known=edges)
        if name == _EDGES
        else sample_queries(structure, count, more, generator=generator, known=edges)
        for name, structure in STRUCTURES.items()
    ]
    return [queries for queries in drawn if len(queries)]


def further_answers(queries: QuerySet, fuller: Snapshot) -> QuerySet:
    """Return the same queries with other hard answers: those that only a fuller graph gives.

    What was hard before is neither easy nor hard.
    """
    edges = directed_edges(fuller)
    codes = answer_codes(queries.structure, queries.anchors, queries.relations, edges)
    bounds = np.searchsorted(codes, np.arange(len(queries) + 1) * np.int64(fuller.num_entities))
    before = (np.union1d(*pair) for pair in zip(queries.easy, queries.hard, strict=True))
    further = tuple(
        np.setdiff1d(codes[low:high] % fuller.num_entities, known).astype(np.int32)
        for low, high, known in zip(bounds[:-1], bounds[1:], before, strict=True)
    )
    return replace(queries, hard=further)


def judged_answers(
    answerer: Answerer,
    queries: Sequence[QuerySet],
    snapshot: Snapshot,
    *,
    best: int = BEST_ANSWERS,
    progress: Progress = silent,
    hinges_of: HingesOf | None = None,
) -> list[JudgedAnswers]:
    """Ask queries with held-out answers, and judge the best likely answers of each.

    Args:
        answerer: One over the graph without the held-out edges.
        queries: `hard` answers are true, `easy` ones are left out.
        snapshot: The graph of the answerer.
        best: Most answers a query.
        progress: Told the queries done.
        hinges_of: Finds the edge that each answer hangs on.

    Returns:
        One entry a query that has a likely answer; structures in their order.
    """
    total, done = sum(map(len, queries)), 0
    found = []
    for one in queries:
        # queries of few easy answers share a batch: each is asked for as many as the longest
        order = np.argsort([len(easy) for easy in one.easy], kind="stable")
        for rows in np.split(order, range(_BATCH, len(order), _BATCH)):
            most = best + max(len(one.easy[row]) for row in rows)
            trees = [one.tree(int(row), snapshot) for row in rows]
            for row, answers in zip(rows, answerer.answer(trees, most), strict=True):
                judged = _judged(answers, one, int(row), snapshot, best, hinges_of)
                if len(judged.scores):
                    found.append(judged)
            done += len(rows)
            progress(done, total)
    return found


def _judged(
    answers: Answers,
    queries: QuerySet,
    row: int,
    snapshot: Snapshot,
    best: int,
    hinges_of: HingesOf | None,
) -> JudgedAnswers:
    likely = [answer for answer in answers.answers if answer.status == "likely"]
    ids = np.array([snapshot.entity_id(answer.entity) for answer in likely], dtype=np.int64)
    scores = np.array([answer.score for answer in likely], dtype=np.float64)
    kept = np.flatnonzero(~np.isin(ids, queries.easy[row]))[:best]
    return JudgedAnswers(
        query=answers.query,
        scores=scores[kept],
        outcomes=np.isin(ids[kept], queries.hard[row]),
        hinges=None if hinges_of is None else hinges_of(answers.query, ids[kept]),
    )
