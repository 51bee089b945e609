"""Where the body of a rule leads in a graph, and along which edges.

Entities on a path are distinct (AnyBURL's object identity). So no edge proves itself: a path from
h to t that runs over the edge h-t, or over it backward, would meet h or t a second time. Loops are
left out for the same reason.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from kg.snapshot import Snapshot
from reasoning.predictors.adjacency import Adjacency, opposite
from reasoning.predictors.paths import Body

__all__ = ["Groundings", "Reached"]

Reached = dict[Body, csr_matrix]
"""Path counts from some heads by body, kept while bodies with the same first steps are tried."""


class Groundings:
    """Paths through a graph.

    Args:
        snapshot: The graph.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._steps = Adjacency(snapshot, loops=False)

    def step(self, directed: int) -> csr_matrix:
        """Return the edges of a directed relation, loops left out."""
        return self._steps.of(directed)

    def reach(
        self,
        heads: NDArray[np.int32],
        body: Body,
        kept: Reached,
        *,
        most_paths: int | None = None,
    ) -> csr_matrix | None:
        """Return ``(len(heads), num_entities)`` numbers of paths along a body, none of them 0.

        Args:
            heads: Where paths start.
            body: Their steps.
            kept: Results for the same heads, filled on the way.
            most_paths: Return None where there are more paths than this, repeated entities
                counted.
        """
        found = kept.get(body)
        if found is not None:
            return found
        if len(body) == 1:
            found = self.step(body[0])[heads]
        else:
            before = self.reach(heads, body[:-1], kept, most_paths=most_paths)
            last = self.step(body[-1])
            if before is None or (most_paths is not None and _paths(before, last) > most_paths):
                return None
            found = before @ last
            if len(body) == 3:
                found = found - self._returned(heads, body, kept)
            found = _without(found, heads)
        kept[body] = found
        return found

    def _returned(self, heads: NDArray[np.int32], body: Body, kept: Reached) -> csr_matrix:
        """Return how many paths of three steps end where their first step led: h, t, x, t.

        These are step₁(h, t) · (number of x other than h with t → x → t).
        """
        back = [self.step(opposite(step, self.snapshot.num_relations)) for step in body[1:]]
        round_trips = np.asarray(self.step(body[1]).multiply(back[1]).sum(axis=1)).ravel()
        through_head = back[0][heads].multiply(self.step(body[2])[heads])
        start = kept[body[:1]]
        return start @ diags(round_trips.astype(np.float32)) - start.multiply(through_head)

    def path(self, head: int, body: Body, end: int) -> tuple[int, ...] | None:
        """Return the entities of one path, both ends included; None where there is none.

        The same graph gives the same path: the one with the smallest ids.
        """
        ends = np.array([head, end], dtype=np.int32)
        after = np.setdiff1d(self.step(body[0])[head].indices, ends[:1])
        if head == end:
            return None
        if len(body) == 1:
            return (head, end) if end in after else None
        back = self.step(opposite(body[-1], self.snapshot.num_relations))
        before = np.setdiff1d(back[end].indices, ends)
        after = np.setdiff1d(after, ends)
        if len(body) == 2:
            between = np.intersect1d(after, before)
            return (head, int(between[0]), end) if len(between) else None
        joined = self.step(body[1])[after][:, before].tocoo()
        if joined.nnz == 0:
            return None
        first = int(np.lexsort((joined.col, joined.row))[0])
        return (head, int(after[joined.row[first]]), int(before[joined.col[first]]), end)


def _paths(before: csr_matrix, last: csr_matrix) -> int:
    return int(np.diff(last.indptr)[before.indices].sum())


def _without(found: csr_matrix, heads: NDArray[np.int32]) -> csr_matrix:
    """Leave out each row's own head, and what is 0."""
    found = found.tocsr()
    found.data[found.indices == np.repeat(heads, np.diff(found.indptr))] = 0.0
    found.eliminate_zeros()
    return found
