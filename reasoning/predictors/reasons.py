"""Why an edge is likely, in words: paths of the graph that the predictor's rules walk.

"Laos borders Thailand, and Thailand exports to Japan (3 such paths)."
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.model import EdgeKey, EntityKey
from kg.snapshot import Snapshot
from reasoning.predictors.features import Pairs, walked
from reasoning.predictors.mixture import Mixture
from reasoning.predictors.paths import Body, Walks

__all__ = ["PathReason", "RuleReasons"]


class PathReason(str):
    """A path that speaks for an edge, as a sentence that still knows its edges.

    Attributes:
        facts: The edges of the path, in its order.
    """

    facts: tuple[EdgeKey, ...] = ()


class RuleReasons:
    """Finds the paths behind a prediction.

    Args:
        snapshot: The graph that is walked.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._walks = Walks(snapshot)

    def sentences(
        self, head: int, tail: int, *, bodies: tuple[Body, ...], mixture: Mixture, count: int = 3
    ) -> list[str]:
        """Return the paths that add most to the odds of an edge.

        Args:
            head: Id.
            tail: Id.
            bodies: Rules; the first columns of the mixture.
            mixture: Weights.
            count: Most sentences.
        """
        pair = Pairs(
            heads=np.array([head], dtype=np.int32),
            rows=np.zeros(1, dtype=np.int64),
            tails=np.array([tail], dtype=np.int32),
        )
        values = walked(self._walks, pair, bodies)[0]
        weights = (mixture.weights / mixture.scale)[: len(bodies)]
        # measured from "no such path", so that only rules with a path can speak
        gains = values * weights
        found: list[str] = []
        for place in np.argsort(-gains, kind="stable").tolist():
            if gains[place] <= 0.0 or len(found) == count:
                break
            sentence = self._sentence(head, tail, bodies[place])
            if sentence is not None and sentence not in found:
                found.append(sentence)
        return found

    def _sentence(self, head: int, tail: int, body: Body) -> PathReason | None:
        start = sparse.csr_matrix(
            (np.ones(1, np.float32), ([0], [head])), shape=(1, self._snapshot.num_entities)
        )
        spread = [start]
        for step in body[:-1]:
            spread.append(spread[-1] @ self._walks.step(step))
        nodes, ways = [tail], 1
        for before, step in zip(reversed(spread), reversed(body), strict=True):
            arriving = self._walks.step(step)[:, [nodes[0]]].toarray().ravel()
            mass = before.toarray().ravel() * arriving
            chosen = self._chosen(mass, head if before is not start else -1)
            if chosen is None:
                return None
            if len(nodes) == 1:
                ways = int(np.count_nonzero(mass))
            nodes.insert(0, chosen)
        steps = zip(nodes[:-1], body, nodes[1:], strict=True)
        facts = tuple(self._edge(*step) for step in steps)
        text = ", and ".join(map(self._told, facts))
        found = PathReason(text if ways == 1 else f"{text} ({ways} such paths)")
        keys = self._snapshot.entities
        found.facts = tuple(
            (EntityKey(keys.name(one)), relation, EntityKey(keys.name(other)))
            for one, relation, other in facts
        )
        return found

    @staticmethod
    def _chosen(mass: NDArray[np.float64], head: int) -> int | None:
        """Return the likeliest node, but not the head again: a detour through it says nothing."""
        if head >= 0:
            mass = mass.copy()
            mass[head] = 0.0
        best = int(np.argmax(mass))
        return best if mass[best] > 0.0 else None

    def _edge(self, start: int, step: int, end: int) -> tuple[int, str, int]:
        count = self._snapshot.num_relations
        if step >= count:
            start, end = end, start
        return start, self._snapshot.relation_names.name(step % count), end

    def _told(self, edge: tuple[int, str, int]) -> str:
        names, (start, relation, end) = self._snapshot.names, edge
        return f"{names[start]} {relation.replace('_', ' ')} {names[end]}"
