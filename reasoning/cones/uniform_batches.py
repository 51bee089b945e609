"""Batches as the papers draw them: each query with one answer and random non-answers of its own.

A query is drawn uniformly, one of its answers uniformly, and k entities that are no answers (ConE,
arXiv 2110.13715, after BetaE). Where the answer is a part, they are other parts of its image, as
far as there are any (RConE, arXiv 2408.11526). One structure a batch, where the public code mixes
them: the operators then run once a batch.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from kg.snapshot import Snapshot
from reasoning.cones.batches import Batch, BatchSettings
from reasoning.sampling import QuerySet

__all__ = ["UniformPlan"]

Ids = NDArray[np.int64]

_ROUNDS = 20


class UniformPlan:
    """Draws batches from query sets, uniformly.

    Args:
        snapshot: The training graph.
        query_sets: Queries with their answers in it.
        settings: `queries`, `own` and `shared` are read.

    Raises:
        InputError: There is nothing to draw.
    """

    def __init__(
        self, snapshot: Snapshot, query_sets: Iterable[QuerySet], settings: BatchSettings
    ) -> None:
        self._settings = settings
        self._parents = np.asarray(snapshot.parents).astype(np.int64)
        parts = np.flatnonzero(self._parents >= 0)
        self._by_image = parts[np.argsort(self._parents[parts], kind="stable")]
        self._image_of = self._parents[self._by_image]
        self._sets = [_FlatAnswers(queries, self._parents) for queries in query_sets]
        self._sets = [one for one in self._sets if len(one.rows)]
        if not self._sets:
            raise InputError("no query has an answer to train on")
        sizes = np.array([len(one.rows) for one in self._sets], dtype=np.float64)
        self._shares = sizes / sizes.sum()

    def draw(self, generator: np.random.Generator) -> Batch:
        """Draw one batch."""
        chosen = self._sets[generator.choice(len(self._sets), p=self._shares)]
        rows = chosen.rows[generator.integers(0, len(chosen.rows), self._settings.queries)]
        low, counts = chosen.bounds[rows], chosen.bounds[rows + 1] - chosen.bounds[rows]
        answers = chosen.answers[low + (generator.random(len(rows)) * counts).astype(np.int64)]
        owner = np.repeat(np.arange(len(rows)), counts)
        offsets = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        flat = chosen.answers[np.repeat(low, counts) + offsets]
        others, is_answer = self._others(answers, owner, flat, generator)
        entities = np.concatenate([answers[:, None], others], axis=1)
        candidates, columns = np.unique(entities, return_inverse=True)
        positive = np.zeros(entities.shape, dtype=np.bool_)
        positive[:, 0] = True
        return Batch(
            structure=chosen.queries.structure,
            anchors=chosen.queries.anchors[rows].astype(np.int64),
            relations=chosen.queries.relations[rows].astype(np.int64),
            candidates=candidates,
            positive=positive,
            ignored=np.concatenate([np.zeros((len(rows), 1), dtype=np.bool_), is_answer], axis=1),
            of_parts=chosen.of_parts,
            answers=(owner, flat),
            columns=columns.reshape(entities.shape),
        )

    def _others(
        self, answers: Ids, owner: Ids, flat: Ids, generator: np.random.Generator
    ) -> tuple[Ids, NDArray[np.bool_]]:
        """Return ``(batch, own)`` entities, and which of them are answers all the same.

        Answers are drawn again a few times; a query that nearly everything answers keeps some,
        and they are ignored.
        """
        count = len(self._parents)
        codes = np.sort(owner * count + flat)
        if self._settings.shared:
            drawn = generator.integers(0, count, self._settings.own)
            others = np.repeat(drawn[None, :], len(answers), axis=0)
            return others, _among(np.arange(len(answers))[:, None] * count + others, codes)
        firsts = np.repeat(answers[:, None], self._settings.own, axis=1)
        others = self._drawn(firsts, generator, rounds=0)
        queries = np.repeat(np.arange(len(answers))[:, None], self._settings.own, axis=1)
        wrong = _among(queries * count + others, codes)
        for number in range(1, _ROUNDS):
            if not wrong.any():
                break
            others[wrong] = self._drawn(firsts[wrong], generator, rounds=number)
            wrong = _among(queries * count + others, codes)
        return others, wrong

    def _drawn(self, answers: Ids, generator: np.random.Generator, *, rounds: int) -> Ids:
        """Draw one entity for each answer: of its image where it is a part, at first."""
        others = generator.integers(0, len(self._parents), answers.shape)
        owners = self._parents[answers]
        among = (owners >= 0) & (rounds < _ROUNDS // 2)
        if among.any():
            low = np.searchsorted(self._image_of, owners[among])
            count = np.searchsorted(self._image_of, owners[among], side="right") - low
            place = low + (generator.random(len(low)) * count).astype(np.int64)
            others[among] = self._by_image[place]
        return others


class _FlatAnswers:
    """A query set with its answers in one array."""

    def __init__(self, queries: QuerySet, parents: Ids) -> None:
        counts = np.array([len(ids) for ids in queries.easy], dtype=np.int64)
        self.queries = queries
        self.rows: Ids = np.flatnonzero(counts)
        self.bounds: Ids = np.concatenate([[0], np.cumsum(counts)])
        self.answers: Ids = np.concatenate([np.empty(0, np.int64), *queries.easy]).astype(np.int64)
        self.of_parts = bool(len(self.answers) and (parents[self.answers] >= 0).mean() > 0.5)


def _among(codes: Ids, ascending: Ids) -> NDArray[np.bool_]:
    place = np.minimum(np.searchsorted(ascending, codes), len(ascending) - 1)
    found: NDArray[np.bool_] = ascending[place] == codes
    return found
