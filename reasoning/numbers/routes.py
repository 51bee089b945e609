"""Routes to other entities' values: those of its neighbours, and of those that share a neighbour.

A route is a directed relation (r + num_relations is r⁻¹), walked once, or there and back. Its value
for an entity is the mean over the entities that it reaches, the entity itself left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from reasoning.predictors.adjacency import Adjacency

__all__ = ["Route", "Routes"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way to other values.

    Attributes:
        relation: Directed relation.
        back: Walk it back again, to entities that share the neighbour.
    """

    relation: int
    back: bool

    def name(self, snapshot: Snapshot) -> str:
        """Return the route as words."""
        relation = snapshot.relation_names.name(self.relation % snapshot.num_relations)
        arrow = f"<-{relation}-" if self.relation >= snapshot.num_relations else f"-{relation}->"
        return f"with the same {arrow}" if self.back else f"at {arrow}"


class Routes:
    """Follows routes over one graph.

    Args:
        snapshot: The graph.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._adjacency = Adjacency(snapshot, loops=False)
        self._snapshot = snapshot

    def candidates(self, entities: NDArray[np.int64], share: float) -> list[Route]:
        """Return routes whose relation leaves at least a share of some entities."""
        degrees = self.degrees(entities)
        common = np.flatnonzero((degrees > 0).mean(axis=0) >= share)
        return [Route(relation=int(r), back=back) for r in common for back in (False, True)]

    def degrees(self, entities: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return ``(n, 2 * num_relations)`` numbers of edges of each directed relation."""
        snapshot, count = self._snapshot, self._snapshot.num_relations
        place = np.full(snapshot.num_entities, -1, dtype=np.int64)
        place[entities] = np.arange(len(entities))
        found = np.zeros((len(entities), 2 * count), dtype=np.int64)
        for ends, shift in ((snapshot.heads, 0), (snapshot.tails, count)):
            rows = place[ends]
            kept = rows >= 0
            np.add.at(found, (rows[kept], snapshot.relations[kept].astype(np.int64) + shift), 1)
        return found

    def values(self, route: Route, numbers: Floats) -> tuple[Floats, Floats]:
        """Return the mean value a route reaches from every entity, and over how many.

        Args:
            route: The route.
            numbers: ``(num_entities,)``, NaN where a value is not known.

        Returns:
            ``(num_entities,)`` means, NaN where none is reached; ``(num_entities,)`` counts.
        """
        matrix = self._adjacency.of(route.relation)
        is_known = np.isfinite(numbers)
        filled = np.where(is_known, numbers, 0.0)
        columns = np.stack([filled, is_known.astype(np.float64)], axis=1)
        if route.back:
            degree = np.diff(matrix.indptr).astype(np.float64)
            # an entity reaches itself over each of its own neighbours
            sums = matrix @ (matrix.T @ columns) - degree[:, None] * columns
        else:
            sums = matrix @ columns
        total, count = np.asarray(sums).T
        count = np.rint(count)
        means = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
        return means, count
