"""What a step of cone training sees: queries of one structure and shared candidates.

Candidates are shared by the queries of a batch. Where all entities of the answers' label fit, they
are all candidates (1 against all of that kind), with some strangers of other labels. For labels too
large each query brings one answer. Where answers are parts, a few images are drawn, and of all
pairs of a query and an answer in them some: a part costs far more to encode than to compare, so
many questions are asked about each. Such a query is told from siblings and strangers of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from reasoning.sampling import QuerySet
from reasoning.structures import Structure

__all__ = ["Batch", "BatchPlan", "BatchSettings", "QueryGroup", "answers_of"]

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """How batches are drawn.

    Attributes:
        queries: Queries a batch.
        part_queries: The same where answers are parts.
        part_images: Images whose parts are encoded in such a batch.
        pool: Most candidates a batch, strangers not counted.
        strangers: Random entities of any label among the candidates; where answers are parts,
            parts of the other images, for each query.
        siblings: Other parts of the answer's image, for each query.
        own: Random non-answers that each query has for itself (128 in the papers), with one of its
            answers; 0 shares candidates as described above. See `reasoning.cones.uniform_batches`.
        shared: Whether the queries of such a batch share their random non-answers.
        scenes: Whether all parts of a batch are candidates of all its queries where answers are
            parts; no siblings and strangers then. See `reasoning.cones.scene_batches`.
        one_hop_share: Share of batches that are 1p.
        part_share: Share of batches whose answers are parts, if there are any.
        from_parts: Weight, beside 1, of groups of 1p queries whose anchors are parts: each part
            has its label and its owner, so there are more of them than of all the rest.
    """

    queries: int = 128
    part_queries: int = 256
    part_images: int = 56
    pool: int = 400
    strangers: int = 32
    siblings: int = 8
    own: int = 0
    shared: bool = False
    scenes: bool = False
    one_hop_share: float = 0.7
    part_share: float = 0.2
    from_parts: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QueryGroup:
    """Queries of one structure whose (first) answers have one label.

    Attributes:
        queries: The set that they are rows of.
        rows: Which rows.
        shares: ``(len(rows),)`` share of each query by its number of answers.
        pairs: ``(m, 2)`` place in `rows` and answer of every pair; only where they are parts.
        label: Label id of the answers.
        from_parts: Whether an anchor is a part.
        of_parts: Whether the answers are parts of images.
    """

    queries: QuerySet
    rows: Ids
    shares: NDArray[np.float64]
    pairs: Ids
    label: int
    from_parts: bool
    of_parts: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """One step.

    Attributes:
        structure: Of all queries.
        anchors: ``(batch, num_anchors)`` entity ids.
        relations: ``(batch, num_relations)`` directed relations.
        candidates: ``(n,)`` entity ids.
        positive: ``(batch, n)`` answers to be scored high.
        ignored: ``(batch, n)`` other answers, neither high nor low.
        of_parts: Whether the answers are parts.
        answers: Row and entity of every answer, two arrays, also of those that are no candidates.
        columns: ``(batch, k)`` which candidates are each query's own, None where all are shared;
            `positive` and `ignored` are ``(batch, k)`` then.
    """

    structure: Structure
    anchors: Ids
    relations: Ids
    candidates: Ids
    positive: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    of_parts: bool
    answers: tuple[Ids, Ids]
    columns: Ids | None = None


def answers_of(queries: QuerySet, rows: Ids) -> tuple[Ids, Ids]:
    """Return the place among `rows` and the entity of every answer of some queries."""
    found = [queries.easy[row] for row in rows]
    owner = np.repeat(np.arange(len(rows)), [len(ids) for ids in found])
    return owner, np.concatenate([np.empty(0, np.int64), *found]).astype(np.int64)


class BatchPlan:
    """Draws batches from query sets.

    Args:
        snapshot: The training graph.
        query_sets: Queries with their answers in it.
        settings: How batches are drawn.
    """

    def __init__(
        self, snapshot: Snapshot, query_sets: Iterable[QuerySet], settings: BatchSettings
    ) -> None:
        self._labels = np.asarray(snapshot.label_ids)
        self._parents = np.asarray(snapshot.parents).astype(np.int64)
        self._settings = settings
        parts = np.flatnonzero(self._parents >= 0)
        self._by_image = parts[np.argsort(self._parents[parts], kind="stable")]
        self.groups = [group for queries in query_sets for group in self._split(queries)]
        self._shares = _shares(self.groups, settings)

    def _split(self, queries: QuerySet) -> list[QueryGroup]:
        """Split by the label of the answers, and by whether an anchor is a part."""
        rows = np.array(
            [row for row in range(len(queries)) if len(queries.easy[row])], dtype=np.int64
        )
        if len(rows) == 0:
            return []
        first = np.array([queries.easy[row][0] for row in rows], dtype=np.int64)
        from_parts = (self._parents[queries.anchors[rows]] >= 0).any(1)
        kinds = 2 * self._labels[first].astype(np.int64) + from_parts
        counts = np.array([len(queries.easy[row]) for row in rows], dtype=np.float64)
        found = []
        for kind in np.unique(kinds):
            chosen = rows[kinds == kind]
            of_parts = bool(self._parents[first[kinds == kind][0]] >= 0)
            found.append(
                QueryGroup(
                    queries=queries,
                    rows=chosen,
                    shares=counts[kinds == kind] / counts[kinds == kind].sum(),
                    pairs=self._pairs(queries, chosen if of_parts else chosen[:0]),
                    label=int(kind) // 2,
                    from_parts=bool(kind % 2),
                    of_parts=of_parts,
                )
            )
        return found

    def _pairs(self, queries: QuerySet, rows: Ids) -> Ids:
        """Return the place of a query among rows and its answer, for all answers that are parts."""
        places, flat = answers_of(queries, rows)
        pairs = np.stack([places, flat], axis=1)
        return pairs[self._parents[flat] >= 0]

    def draw(self, generator: np.random.Generator) -> Batch:
        """Draw one batch."""
        group = self.groups[generator.choice(len(self.groups), p=self._shares)]
        if group.of_parts:
            return self._about_images(group, generator)
        everyone = np.flatnonzero(self._labels == group.label)
        pooled = len(everyone) > self._settings.pool
        rows = self._rows(group, pooled, generator)
        size = len(rows)
        owner, flat = answers_of(group.queries, rows)
        if pooled:
            answers = [group.queries.easy[row] for row in rows]
            chosen = np.array([generator.choice(ids) for ids in answers], dtype=np.int64)
            candidates = self._pool(chosen, everyone, generator)
        else:
            chosen = everyone
            strangers = generator.integers(0, len(self._labels), self._settings.strangers)
            candidates = np.concatenate([everyone, np.setdiff1d(strangers, everyone)])
        is_answer = self._mask(size, owner, flat, candidates)
        positive = is_answer & np.isin(candidates, chosen)
        return Batch(
            structure=group.queries.structure,
            anchors=group.queries.anchors[rows].astype(np.int64),
            relations=group.queries.relations[rows].astype(np.int64),
            candidates=candidates,
            positive=positive,
            ignored=is_answer & ~positive,
            of_parts=False,
            answers=(owner, flat),
        )

    def _about_images(self, group: QueryGroup, generator: np.random.Generator) -> Batch:
        """Draw some images, and queries that parts of them answer."""
        settings = self._settings
        images = self._parents[group.pairs[:, 1]]
        drawn = np.unique(images[generator.integers(0, len(images), settings.part_images)])
        inside = self._parts_of(drawn, generator)
        near = np.zeros(len(self._parents), dtype=np.bool_)
        near[inside] = True
        possible = np.flatnonzero(near[group.pairs[:, 1]])
        chosen = group.pairs[generator.permutation(possible)[: settings.part_queries]]
        rows, answers = group.rows[chosen[:, 0]], chosen[:, 1]
        entities = np.concatenate(
            [
                answers[:, None],
                self._siblings(answers, generator).T,
                generator.choice(inside, (len(answers), settings.strangers)),
            ],
            axis=1,
        )
        owner, flat = answers_of(group.queries, rows)
        count = len(self._parents)
        codes = np.arange(len(rows))[:, None] * count + entities
        candidates, columns = np.unique(entities, return_inverse=True)
        positive = np.isin(codes, owner * count + flat)
        return Batch(
            structure=group.queries.structure,
            anchors=group.queries.anchors[rows].astype(np.int64),
            relations=group.queries.relations[rows].astype(np.int64),
            candidates=candidates,
            positive=positive,
            ignored=np.zeros_like(positive),
            of_parts=True,
            answers=(owner, flat),
            columns=columns.reshape(entities.shape),
        )

    def _parts_of(self, images: Ids, generator: np.random.Generator) -> Ids:
        """Return the parts of some images, at most `pool` of them."""
        keys = self._parents[self._by_image]
        low = np.searchsorted(keys, images)
        counts = np.searchsorted(keys, images, side="right") - low
        first = np.repeat(low - (np.cumsum(counts) - counts), counts)
        parts = self._by_image[first + np.arange(counts.sum())]
        return generator.permutation(parts)[: self._settings.pool]

    def _rows(self, group: QueryGroup, pooled: bool, generator: np.random.Generator) -> Ids:
        if pooled:
            return generator.choice(group.rows, self._settings.queries, p=group.shares)
        size = min(self._settings.queries, len(group.rows))
        return generator.choice(group.rows, size, replace=False)

    def _pool(self, chosen: Ids, everyone: Ids, generator: np.random.Generator) -> Ids:
        fill = max(self._settings.pool - len(chosen), self._settings.strangers)
        return np.unique(np.concatenate([chosen, generator.choice(everyone, fill)]))

    def _siblings(self, chosen: Ids, generator: np.random.Generator) -> Ids:
        """Return random parts of the same images; a part may be drawn for itself."""
        keys = self._parents[self._by_image]
        low = np.searchsorted(keys, self._parents[chosen])
        count = np.searchsorted(keys, self._parents[chosen], side="right") - low
        shape = (self._settings.siblings, len(chosen))
        drawn = low + (generator.random(shape) * count).astype(np.int64)
        return self._by_image[drawn]

    def _mask(self, size: int, owner: Ids, answers: Ids, candidates: Ids) -> NDArray[np.bool_]:
        place = np.full(len(self._labels), -1, dtype=np.int64)
        place[candidates] = np.arange(len(candidates))
        columns = place[answers]
        mask = np.zeros((size, len(candidates)), dtype=np.bool_)
        mask[owner[columns >= 0], columns[columns >= 0]] = True
        return mask


def _shares(groups: list[QueryGroup], settings: BatchSettings) -> NDArray[np.float64]:
    """Return the probability of each group: fixed for parts and for 1p, else by size."""
    weights = np.array([len(group.rows) ** 0.75 for group in groups])
    parts = np.array([group.of_parts for group in groups], dtype=np.bool_)
    one_hop = np.array([group.queries.structure.num_relations == 1 for group in groups])
    for kind, share in ((parts, settings.part_share), (~parts, 1 - settings.part_share)):
        for single, part in (
            (one_hop, settings.one_hop_share),
            (~one_hop, 1 - settings.one_hop_share),
        ):
            among = kind & single
            if among.any():
                weights[among] *= share * part / weights[among].sum()
    weights[[group.from_parts for group in groups]] *= settings.from_parts
    total: NDArray[np.float64] = weights / weights.sum()
    return total
