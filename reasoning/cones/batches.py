"""What a step of cone training sees: queries of one structure and shared candidates.

Candidates are shared by the queries of a batch. Where all entities of the answers' label fit, they
are all candidates (1 against all of that kind), with some strangers of other labels. For parts, and
for labels too large, each query brings one answer and other parts of its image, and queries are
drawn by their number of answers: else "parts labelled L" would be as rare as "parts of X".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from reasoning.id_sets import DirectedEdges
from reasoning.sampling import QuerySet, one_hop_queries, sample_queries
from reasoning.structures import STRUCTURES, Structure

__all__ = ["Batch", "BatchPlan", "BatchSettings", "QueryGroup", "training_queries"]

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """How batches are drawn.

    Attributes:
        queries: Queries a batch.
        part_queries: The same where answers are parts, each with candidates of its own.
        pool: Most candidates a batch, strangers not counted.
        strangers: Random entities of any label among the candidates.
        siblings: Other parts of the answer's image among the candidates, for each query.
        own: Random non-answers that each query has for itself (128 in the papers), with one of its
            answers; 0 shares candidates as described above. See `reasoning.cones.uniform_batches`.
        shared: Whether the queries of such a batch share their random non-answers.
        one_hop_share: Share of batches that are 1p.
        part_share: Share of batches whose answers are parts, if there are any.
        from_parts: Weight, beside 1, of groups of 1p queries whose anchors are parts: each part
            has its label and its owner, so there are more of them than of all the rest.
    """

    queries: int = 128
    part_queries: int = 64
    pool: int = 400
    strangers: int = 32
    siblings: int = 4
    own: int = 0
    shared: bool = False
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
        label: Label id of the answers.
        from_parts: Whether an anchor is a part.
        of_parts: Whether the answers are parts of images.
    """

    queries: QuerySet
    rows: Ids
    shares: NDArray[np.float64]
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
        self._parents = np.asarray(snapshot.parents)
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
        return [
            QueryGroup(
                queries=queries,
                rows=rows[kinds == kind],
                shares=counts[kinds == kind] / counts[kinds == kind].sum(),
                label=int(kind) // 2,
                from_parts=bool(kind % 2),
                of_parts=bool(self._parents[first[kinds == kind][0]] >= 0),
            )
            for kind in np.unique(kinds)
        ]

    def draw(self, generator: np.random.Generator) -> Batch:
        """Draw one batch."""
        group = self.groups[generator.choice(len(self.groups), p=self._shares)]
        everyone = np.flatnonzero(self._labels == group.label)
        pooled = group.of_parts or len(everyone) > self._settings.pool
        rows = self._rows(group, pooled, generator)
        size = len(rows)
        answers = [group.queries.easy[row] for row in rows]
        owner = np.repeat(np.arange(size), [len(ids) for ids in answers])
        flat = np.concatenate(answers).astype(np.int64)
        if pooled:
            chosen = np.array([generator.choice(ids) for ids in answers], dtype=np.int64)
            candidates = self._pool(chosen, everyone, group.of_parts, generator)
        else:
            chosen = everyone
            strangers = generator.integers(0, len(self._labels), self._settings.strangers)
            candidates = np.concatenate([everyone, np.setdiff1d(strangers, everyone)])
        is_answer = self._mask(size, owner, flat, candidates)
        # parts are encoded for all queries of the batch, so each tells as much as it can
        positive = is_answer if group.of_parts else is_answer & np.isin(candidates, chosen)
        return Batch(
            structure=group.queries.structure,
            anchors=group.queries.anchors[rows].astype(np.int64),
            relations=group.queries.relations[rows].astype(np.int64),
            candidates=candidates,
            positive=positive,
            ignored=is_answer & ~positive,
            of_parts=group.of_parts,
            answers=(owner, flat),
        )

    def _rows(self, group: QueryGroup, pooled: bool, generator: np.random.Generator) -> Ids:
        settings = self._settings
        if pooled:
            count = settings.part_queries if group.of_parts else settings.queries
            distinct = group.of_parts and len(group.rows) > 2 * count
            return generator.choice(group.rows, count, p=group.shares, replace=not distinct)
        size = min(settings.queries, len(group.rows))
        return generator.choice(group.rows, size, replace=False)

    def _pool(
        self, chosen: Ids, everyone: Ids, of_parts: bool, generator: np.random.Generator
    ) -> Ids:
        settings = self._settings
        found = [chosen]
        if of_parts:
            found.append(self._siblings(chosen, generator))
        fill = max(settings.pool - sum(map(len, found)), settings.strangers)
        # strange parts come with siblings of theirs: their images are encoded anyway
        share = 1 + settings.siblings if of_parts else 1
        strangers = generator.choice(everyone, -(-fill // share))
        found.append(strangers)
        if of_parts:
            found.append(self._siblings(strangers, generator))
        return np.unique(np.concatenate(found))

    def _siblings(self, chosen: Ids, generator: np.random.Generator) -> Ids:
        """Return random parts of the same images; a part may be drawn for itself."""
        keys = self._parents[self._by_image]
        low = np.searchsorted(keys, self._parents[chosen])
        count = np.searchsorted(keys, self._parents[chosen], side="right") - low
        shape = (self._settings.siblings, len(chosen))
        drawn = low + (generator.random(shape) * count).astype(np.int64)
        return self._by_image[drawn].reshape(-1)

    def _mask(self, size: int, owner: Ids, answers: Ids, candidates: Ids) -> NDArray[np.bool_]:
        place = np.full(len(self._labels), -1, dtype=np.int64)
        place[candidates] = np.arange(len(candidates))
        columns = place[answers]
        mask = np.zeros((size, len(candidates)), dtype=np.bool_)
        mask[owner[columns >= 0], columns[columns >= 0]] = True
        return mask


def training_queries(
    training: Snapshot,
    edges: DirectedEdges,
    *,
    structures: Sequence[str],
    part_structures: Sequence[str],
    count: int,
    generator: np.random.Generator,
) -> list[QuerySet]:
    """Sample what is trained on; the anchors of sampled queries are no parts.

    Args:
        training: The training graph.
        edges: Its edges.
        structures: Names; 1p is taken whole, others have answers that are no parts.
        part_structures: Names of those that are sampled once more, with parts as answers.
        count: Most queries a structure.
        generator: Source of randomness.
    """
    ordinary = np.asarray(training.parents) < 0
    linked = np.unique(edges.starts)
    found = [one_hop_queries(edges)] if "1p" in structures else []
    pools = ((structures, linked[ordinary[linked]]), (part_structures, linked[~ordinary[linked]]))
    for names, answers in pools:
        found += [
            sample_queries(
                STRUCTURES[name],
                count,
                edges,
                generator=generator,
                answers_from=answers,
                anchors_from=ordinary,
            )
            for name in names
            if name != "1p" and len(answers)
        ]
    return found


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
