"""Path rules: a body of one to three steps that leads from heads to tails of a relation.

The value of a body at (h, t) is the probability that a random walk along its steps, uniform over
the edges of each step, leads from h to t (path ranking, Lao & Cohen 2010). "The frequent tail
among countries of the subregion" is the body in_subregion · in_subregion⁻¹ · exports_to; common
neighbours are borders · borders. Bodies are mined for each relation from the snapshot alone: those
that tell most about hidden edges (information gain) are kept.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.snapshot import Snapshot
from reasoning.predictors.adjacency import Adjacency
from reasoning.predictors.typing import RelationTypes

__all__ = ["Body", "Walks", "bodies", "body_name", "information_gain"]

Body = tuple[int, ...]
"""Directed relations: r, or r + num_relations for r⁻¹."""

_BINS = 8


class Walks:
    """Random walks over the edges of a graph.

    Args:
        snapshot: The graph.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._edges = Adjacency(snapshot)
        self._steps: dict[int, sparse.csr_matrix] = {}

    def step(self, directed: int) -> sparse.csr_matrix:
        """Return ``(num_entities, num_entities)`` transition probabilities of one step."""
        found = self._steps.get(directed)
        if found is None:
            found = self._steps[directed] = self._built(directed)
        return found

    def _built(self, directed: int) -> sparse.csr_matrix:
        edges = self._edges.of(directed)
        degree = np.diff(edges.indptr)
        weights = (1.0 / np.repeat(degree, degree)).astype(np.float32)
        return sparse.csr_matrix((weights, edges.indices, edges.indptr), shape=edges.shape)

    def reach(
        self, heads: NDArray[np.int32], body: Body, kept: dict[Body, sparse.csr_matrix]
    ) -> sparse.csr_matrix:
        """Return ``(len(heads), num_entities)`` probabilities to reach each entity.

        Args:
            heads: Where walks start.
            body: Their steps.
            kept: Results of prefixes for the same heads, filled on the way.
        """
        found = kept.get(body)
        if found is None:
            last = self.step(body[-1])
            found = last[heads] if len(body) == 1 else self.reach(heads, body[:-1], kept) @ last
            kept[body] = found
        return found


def bodies(
    types: RelationTypes, relation: int, counts: NDArray[np.int64], *, longest: int, most: int
) -> list[Body]:
    """Return the bodies that can lead from heads to tails of a relation, by label alone.

    Args:
        types: Which labels each relation joins.
        relation: The rule's head; the body that is the relation itself is left out.
        counts: ``(num_relations,)`` edges of each relation.
        longest: Most steps.
        most: Most bodies; shorter ones first, then those of frequent relations.
    """
    joins = np.concatenate([types.pairs, types.pairs.transpose(0, 2, 1)])
    heads = np.asarray(joins.any(axis=2))
    tails = np.asarray(joins.any(axis=1))
    size = len(counts)
    steps = [step for step in range(2 * size) if counts[step % size] > 0]
    found: list[Body] = []
    starts: list[tuple[Body, NDArray[np.bool_]]] = [((), types.pairs[relation].any(axis=1))]
    for _ in range(longest):
        longer = [
            ((*body, step), (joins[step] & labels[:, None]).any(axis=0))
            for body, labels in starts
            for step in steps
            if (labels & heads[step]).any() and _is_sensible((*body, step), relation, types)
        ]
        goal = types.pairs[relation].any(axis=0)
        fitting = [body for body, labels in longer if (labels & goal & tails[body[-1]]).any()]
        rarest = {body: min(int(counts[step % size]) for step in body) for body in fitting}
        fitting.sort(key=lambda body: (-rarest[body], body))
        found += [body for body in fitting if body != (relation,)]
        if len(found) >= most:
            break
        starts = longer
    return found[:most]


def _is_sensible(body: Body, relation: int, types: RelationTypes) -> bool:
    """Leave out long walks through parts of images, but where parts are what it is about.

    From whole to whole they lead back to where they came from, and there are thousands of them.
    """
    through = any(types.of_parts[step % len(types.of_parts)] for step in body)
    return not through or len(body) <= 2 or bool(types.of_parts[relation])


def information_gain(values: NDArray[np.float32], hits: NDArray[np.bool_]) -> float:
    """Return how many nats a hit a value tells about being an edge, at least 0.

    Values are cut into zero and eight quantile bins of the others; a bin's rate is drawn towards
    the base rate by one pseudo-count, so that a rare coincidence tells nothing.

    Args:
        values: ``(n,)`` walk probabilities.
        hits: ``(n,)`` which pairs are edges.
    """
    total, base = int(hits.sum()), float(hits.mean())
    reached = values > 0
    if not reached.any() or total == 0 or base == 1.0:
        return 0.0
    inner = np.linspace(0, 1, _BINS + 1)[1:-1]
    cuts = np.unique(np.quantile(values[reached], inner))
    bins = np.where(reached, 1 + np.searchsorted(cuts, values), 0)
    count = np.bincount(bins).astype(np.float64)
    hit = np.bincount(bins, hits).astype(np.float64)
    rate = (hit + base) / (count + 1.0)
    gain = hit * np.log(rate / base) + (count - hit) * np.log((1 - rate) / (1 - base))
    return max(0.0, float(gain.sum()) / total)


def body_name(body: Body, snapshot: Snapshot) -> str:
    """Return a body as text, ``borders · speaks`` or ``in_region · in_region⁻¹ · speaks``."""
    count = snapshot.num_relations
    names = (snapshot.relation_names.name(step % count) for step in body)
    return " · ".join(n + ("⁻¹" if s >= count else "") for n, s in zip(names, body, strict=True))
