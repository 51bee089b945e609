"""Which bodies may make a rule: those of paths beside sampled edges of a relation.

From either end of an edge (h, t) a random step is taken, to a and to b; whatever edges then join
h-t, a-t, h-b and a-b close paths of one, two and three steps from h to t. A hub is no more work
than another entity, since no neighbourhood is enumerated.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from reasoning.predictors.adjacency import opposite
from reasoning.predictors.paths import Body
from reasoning.predictors.rules.config import RuleConfig

__all__ = ["BodySampler", "reversed_body"]

_NONE = -1
Ids = NDArray[np.int64]


class BodySampler:
    """Samples bodies around the edges of a graph.

    Args:
        snapshot: The graph.
        config: How many edges and walks.
    """

    def __init__(self, snapshot: Snapshot, config: RuleConfig) -> None:
        self._snapshot = snapshot
        self._config = config
        count = snapshot.num_relations
        heads, tails = snapshot.heads.astype(np.int64), snapshot.tails.astype(np.int64)
        relations = snapshot.relations.astype(np.int64)
        starts, ends = np.concatenate([heads, tails]), np.concatenate([tails, heads])
        codes = np.concatenate([relations, relations + count])
        order = np.lexsort((codes, ends, starts))
        self._ends, self._codes = ends[order], codes[order]
        self._pairs = starts[order] * snapshot.num_entities + ends[order]
        self._bounds = np.searchsorted(starts[order], np.arange(snapshot.num_entities + 1))

    def bodies(self, relation: int, generator: np.random.Generator) -> list[Body]:
        """Return the bodies found beside most sampled edges of a relation, best first.

        Args:
            relation: Relation id, read forward; the body that is the relation itself is left out.
            generator: Source of randomness.
        """
        span = self._snapshot.edges_of(relation)
        places = np.arange(span.start, span.stop)
        if len(places) > self._config.sampled_edges:
            places = generator.choice(places, self._config.sampled_edges, replace=False)
        heads = self._snapshot.heads[places].astype(np.int64)
        tails = self._snapshot.tails[places].astype(np.int64)
        found = [part for part in self._closed(heads, tails, generator) if len(part)]
        if not found:
            return []
        # a body counts once for each edge, however many paths there are
        distinct = np.unique(np.concatenate(found), axis=0)[:, 1:]
        bodies, counts = np.unique(distinct, axis=0, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] >= self._config.fewest_hits]
        named = (tuple(int(s) for s in row if s != _NONE) for row in bodies[order].tolist())
        return [body for body in named if body != (relation,)][: self._config.tried_bodies]

    def _closed(self, heads: Ids, tails: Ids, generator: np.random.Generator) -> Iterator[Ids]:
        """Yield ``(n, 4)`` rows: number of the edge, and its body filled up with -1."""
        every = np.arange(len(heads))
        edges, codes = self._joining(heads, tails)
        yield _rows(every[edges], codes)
        if self._config.longest_body < 2:
            return
        repeated = np.repeat(every, self._config.walks)
        start, end = heads[repeated], tails[repeated]
        first, a = self._stepped(start, generator)
        last, b = self._stepped(end, generator)
        last = _opposite(last, self._snapshot.num_relations)
        a_is_new, b_is_new = (a != start) & (a != end), (b != start) & (b != end)
        kept = np.flatnonzero(a_is_new)
        edges, codes = self._joining(a[kept], end[kept])
        yield _rows(repeated[kept[edges]], first[kept[edges]], codes)
        kept = np.flatnonzero(b_is_new)
        edges, codes = self._joining(start[kept], b[kept])
        yield _rows(repeated[kept[edges]], codes, last[kept[edges]])
        if self._config.longest_body < 3:
            return
        kept = np.flatnonzero(a_is_new & b_is_new & (a != b))
        edges, codes = self._joining(a[kept], b[kept])
        kept = kept[edges]
        yield _rows(repeated[kept], first[kept], codes, last[kept])

    def _joining(self, starts: Ids, ends: Ids) -> tuple[Ids, Ids]:
        """Return all directed relations between pairs: which pair, and which relation."""
        wanted = starts * self._snapshot.num_entities + ends
        low = np.searchsorted(self._pairs, wanted, side="left")
        counts = np.searchsorted(self._pairs, wanted, side="right") - low
        which = np.repeat(np.arange(len(wanted)), counts)
        offsets = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
        return which, self._codes[low[which] + offsets]

    def _stepped(self, starts: Ids, generator: np.random.Generator) -> tuple[Ids, Ids]:
        """Return a random edge of each entity: its directed relation and where it leads."""
        low = self._bounds[starts]
        degree = self._bounds[starts + 1] - low
        places = low + (generator.random(len(starts)) * degree).astype(np.int64)
        return self._codes[places], self._ends[places]


def _rows(edges: Ids, *steps: Ids) -> Ids:
    missing = [np.full(len(edges), _NONE)] * (3 - len(steps))
    return np.stack([edges, *steps, *missing], axis=1)


def _opposite(steps: Ids, num_relations: int) -> Ids:
    return np.where(steps >= num_relations, steps - num_relations, steps + num_relations)


def reversed_body(body: Body, num_relations: int) -> Body:
    """Return the body that leads back along the same edges."""
    return tuple(opposite(step, num_relations) for step in reversed(body))
