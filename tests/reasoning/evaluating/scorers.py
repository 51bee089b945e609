"""Scorers whose figures are known beforehand, and a graph with held-out edges to score on."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from reasoning.id_sets import directed_edges
from reasoning.query import Query
from reasoning.sampling import QuerySet, one_hop_queries, sample_queries
from reasoning.structures import STRUCTURES
from tests.reasoning.predictor_world import WORLD

__all__ = ["ConstantScorer", "OracleScorer", "RandomScorer", "halves", "sampled"]


def halves(seed: int = 0) -> tuple[Snapshot, Snapshot]:
    """Return a graph and what is left of it without a fifth of its edges."""
    keep = np.random.default_rng(seed).random(WORLD.num_edges) < 0.8
    return WORLD, WORLD.keeping(keep)


def sampled(count: int = 30, names: Sequence[str] = tuple(STRUCTURES)) -> tuple[QuerySet, ...]:
    """Draw queries with hard answers."""
    full, known = map(directed_edges, halves())
    draw = np.random.default_rng(5)
    found = [
        one_hop_queries(full, known)
        if name == "1p"
        else sample_queries(STRUCTURES[name], count, full, generator=draw, known=known)
        for name in names
    ]
    return tuple(one for one in found if len(one))


class _Scorer:
    def __init__(self, num_entities: int) -> None:
        self.num_entities = num_entities
        self.batches: list[int] = []

    def answer(self, *_: object, **__: object) -> list[object]:
        raise NotImplementedError

    def scores(self, trees: Sequence[Query]) -> NDArray[np.float32]:
        self.batches.append(len(trees))
        return self._scores(trees)

    def _scores(self, trees: Sequence[Query]) -> NDArray[np.float32]:
        raise NotImplementedError


class ConstantScorer(_Scorer):
    """Gives everything the same score."""

    def _scores(self, trees: Sequence[Query]) -> NDArray[np.float32]:
        return np.full((len(trees), self.num_entities), 0.25, dtype=np.float32)


class RandomScorer(_Scorer):
    """Draws scores that depend on the query alone."""

    def _scores(self, trees: Sequence[Query]) -> NDArray[np.float32]:
        seeds = [crc32(repr(tree).encode()) for tree in trees]
        rows = [np.random.default_rng(seed).random(self.num_entities) for seed in seeds]
        return np.array(rows, dtype=np.float32)


class OracleScorer(_Scorer):
    """Gives the answers of the full graph 1 and all else 0."""

    def __init__(self, full: Snapshot) -> None:
        super().__init__(full.num_entities)
        self._full = full

    def _scores(self, trees: Sequence[Query]) -> NDArray[np.float32]:
        from reasoning.exact import evaluate

        scores = np.zeros((len(trees), self.num_entities), dtype=np.float32)
        for row, tree in enumerate(trees):
            scores[row, list(evaluate(tree, self._full))] = 1.0
        return scores
