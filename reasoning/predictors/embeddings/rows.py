"""Edges grouped by (head, directed relation), and the steps of an epoch.

Grouping is no change of the objective: one row of scores serves all tails of a pair. Rows come in
random order over all relations, or, where each relation has candidates of its own, in parts of one
relation each, with the parts in random order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from kg.snapshot import Snapshot
from reasoning.predictors.embeddings.candidates import Candidates
from reasoning.predictors.embeddings.config import EmbeddingConfig

__all__ = ["Part", "Rows", "epoch_steps", "grouped_rows"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """Distinct (directed relation, head) pairs, sorted, with their tails.

    Entities are numbered by their place among the embedded ones.

    Attributes:
        num_entities: Number of embedded entities.
        heads: ``(n,)``.
        relations: ``(n,)`` directed ids.
        starts: ``(n + 1,)`` where the tails of each row begin.
        tails: ``(m,)``.
        pools: Candidate tails of each directed relation, None for all entities.
        sampled_rest: How many other entities join each step.
    """

    num_entities: int
    heads: torch.Tensor
    relations: torch.Tensor
    starts: torch.Tensor
    tails: torch.Tensor
    pools: tuple[torch.Tensor, ...] | None
    sampled_rest: int = 0

    def count(self, rows: torch.Tensor) -> int:
        """Return the number of edges of some rows."""
        return int((self.starts[rows + 1] - self.starts[rows]).sum())

    def edges_of(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return for each edge of some rows its place among these rows, and its tail."""
        low = self.starts[rows]
        count = self.starts[rows + 1] - low
        owner = torch.repeat_interleave(torch.arange(len(rows)), count)
        offset = torch.arange(len(owner)) - torch.repeat_interleave(count.cumsum(0) - count, count)
        return owner, self.tails[low[owner] + offset]


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Rows of a step that share their candidates.

    Attributes:
        rows: Places of rows.
        pool: ``(p,)`` ascending candidates, all tails of the rows among them; None for all
            entities.
        log_weights: ``(p,)`` logarithm of how many entities each candidate stands for, or None.
    """

    rows: torch.Tensor
    pool: torch.Tensor | None = None
    log_weights: torch.Tensor | None = None


def grouped_rows(snapshot: Snapshot, candidates: Candidates) -> Rows:
    """Group the edges of a snapshot, both directions."""
    count = snapshot.num_relations
    place = np.full(snapshot.num_entities, -1, dtype=np.int64)
    place[candidates.entities] = np.arange(len(candidates.entities))
    heads, tails = place[snapshot.heads], place[snapshot.tails]
    relations = snapshot.relations.astype(np.int64)
    directed = np.concatenate(
        [np.stack([relations, heads, tails]), np.stack([relations + count, tails, heads])], axis=1
    )
    pools = None
    if candidates.tails is not None:
        trained = np.array([ids is not None for ids in candidates.tails])
        directed = directed[:, trained[directed[0]]]
        empty = np.empty(0, dtype=np.int64)
        pools = tuple(
            torch.from_numpy(empty if ids is None else place[ids]) for ids in candidates.tails
        )
    relation, head, tail = directed[:, np.lexsort(directed[::-1])]
    new = np.ones(len(relation), dtype=np.bool_)
    new[1:] = (relation[1:] != relation[:-1]) | (head[1:] != head[:-1])
    starts = np.flatnonzero(new)
    return Rows(
        num_entities=len(candidates.entities),
        heads=torch.from_numpy(head[starts]),
        relations=torch.from_numpy(relation[starts]),
        starts=torch.from_numpy(np.append(starts, len(relation))),
        tails=torch.from_numpy(tail.copy()),
        pools=pools,
        sampled_rest=candidates.sampled_rest,
    )


def epoch_steps(
    rows: Rows, config: EmbeddingConfig, generator: torch.Generator
) -> Iterator[list[Part]]:
    """Yield the steps of an epoch, which visit each row once.

    Args:
        rows: All rows.
        config: Its `batch`, `parts` and `candidates`.
        generator: Of the order and of samples.
    """
    if rows.pools is not None:
        yield from _by_relation(rows, rows.pools, config, generator)
        return
    most = config.candidates
    order = torch.randperm(len(rows.heads), generator=generator)
    for chosen in torch.split(order, config.batch):
        if most is None or most >= rows.num_entities:
            yield [Part(rows=chosen)]
        else:
            own = torch.unique(rows.edges_of(chosen)[1])
            yield [_with_rest(rows, chosen, own, _sample(rows, most, generator))]


def _by_relation(
    rows: Rows,
    pools: tuple[torch.Tensor, ...],
    config: EmbeddingConfig,
    generator: torch.Generator,
) -> Iterator[list[Part]]:
    bounds = torch.searchsorted(rows.relations, torch.arange(len(pools) + 1)).tolist()
    size = max(1, config.batch // config.parts)
    chunks = []
    for relation in np.arange(len(pools)).reshape(2, -1).T.ravel().tolist():  # r, r⁻¹, next r …
        low, high = bounds[relation : relation + 2]
        order = low + torch.randperm(high - low, generator=generator)
        chunks += [(relation, chosen) for chosen in torch.split(order, size) if len(chosen)]
    for step in torch.split(torch.randperm(len(chunks), generator=generator), config.parts):
        rest = _sample(rows, rows.sampled_rest, generator) if rows.sampled_rest else None
        parts = []
        for number in step.tolist():
            relation, chosen = chunks[number]
            pool = pools[relation]
            if config.candidates is not None and len(pool) > config.candidates:
                kept = torch.randperm(len(pool), generator=generator)[: config.candidates]
                pool = pool[kept]
            pool = torch.unique(torch.cat([pool, rows.edges_of(chosen)[1]]))
            part = Part(rows=chosen, pool=pool)
            parts.append(part if rest is None else _with_rest(rows, chosen, pool, rest))
        yield parts


def _sample(rows: Rows, most: int, generator: torch.Generator) -> torch.Tensor:
    drawn = torch.randint(rows.num_entities, (most,), generator=generator)
    distinct: torch.Tensor = torch.unique(drawn)
    return distinct


def _with_rest(rows: Rows, chosen: torch.Tensor, own: torch.Tensor, sample: torch.Tensor) -> Part:
    """Return rows with candidates and a sample of others, weighted for what it stands for.

    Args:
        rows: All rows.
        chosen: Those of the part.
        own: Candidates that stand for themselves.
        sample: Distinct entities, uniformly drawn; those that are candidates already are left out.
    """
    is_own = torch.zeros(rows.num_entities, dtype=torch.bool)
    is_own[own] = True
    sample = sample[~is_own[sample]]
    pool = torch.cat([own, sample]).sort().values
    stands_for = (rows.num_entities - len(own)) / max(1, len(sample))
    weights = torch.zeros(len(pool))
    weights[~is_own[pool]] = float(np.log(max(1.0, stands_for)))
    return Part(rows=chosen, pool=pool, log_weights=weights)
