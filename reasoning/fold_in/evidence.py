"""What the known part of a graph says about a vector: true tails and queries, and their rivals.

Each softmax runs over the relation's range (a sample of a large one), weighted by what it stands
for, and over a sample of all other entities. An entity that answers no query of a relation is a
rival of those that do: without a sample of other queries, new vectors would score too high.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp

from reasoning.fold_in.config import FoldInConfig
from reasoning.fold_in.objective import Floats, VectorObjective
from reasoning.predictors.embeddings.architecture import architecture_of
from reasoning.predictors.embeddings.model import EmbeddingModel

__all__ = ["Evidence"]

Ids = NDArray[np.int64]


class Evidence:
    """Makes objectives of single vectors from the edges of a graph.

    Args:
        model: Vectors, of which those of `known` entities are read when an objective is made.
        edges: ``(n, 3)`` start, directed relation, end: all edges between known entities, each in
            both directions.
        known: Ids of the entities that have a vector.
        config: Sizes of samples.
        generator: Of samples.
    """

    def __init__(
        self,
        model: EmbeddingModel,
        edges: Ids,
        known: Ids,
        config: FoldInConfig,
        generator: np.random.Generator,
    ) -> None:
        self._config = config
        self._generator = generator
        self._known = known
        self._architecture = architecture_of(model.config)
        self._entity = model.entity
        self._parameters = {
            name: torch.from_numpy(np.ascontiguousarray(array))
            for name, array in model.parameters.items()
        }
        self._num_relations = model.num_relations
        own = model.config.regulariser if config.regulariser is None else config.regulariser
        self._regulariser = own
        self._edges = edges[np.lexsort((edges[:, 2], edges[:, 0], edges[:, 1]))]
        self._bounds = np.searchsorted(self._edges[:, 1], np.arange(2 * self._num_relations + 1))
        self._means: dict[int, Floats] = {}
        self._pools: dict[int, tuple[Ids, Floats]] = {}
        self._rivals: dict[int, tuple[Floats, Floats, Floats]] = {}

    def starting_point(self, relations: Ids) -> Floats:
        """Return the mean vector of the domains of directed relations, one an edge."""
        distinct, counts = np.unique(relations, return_counts=True)
        means = [self._domain_mean(int(relation)) for relation in distinct]
        point: Floats = np.average(means, axis=0, weights=counts).astype(np.float32)
        return point

    def _domain_mean(self, relation: int) -> Floats:
        found = self._means.get(relation)
        if found is None:
            starts = self._of(relation)[:, 0]
            found = self._means[relation] = self._entity[starts].mean(axis=0)
        return found

    def has_edges(self, relations: Ids) -> NDArray[np.bool_]:
        """Tell for directed relations whether the known part has an edge of each."""
        return self._bounds[relations + 1] > self._bounds[relations]

    def objective(self, relations: Ids, ends: Ids) -> VectorObjective:
        """Return the loss of a vector with edges to known entities.

        Args:
            relations: ``(n,)`` directed relations that leave the vector's entity.
            ends: ``(n,)`` known entities that they lead to, each pair once.
        """
        if len(ends) > self._config.most_edges:
            places = self._generator.choice(len(ends), self._config.most_edges, replace=False)
            relations, ends = relations[places], ends[places]
        distinct, counts = np.unique(relations, return_counts=True)
        pools = [self._pool(relation, ends[relations == relation]) for relation in distinct]
        sizes = np.array([len(ids) for ids, _ in pools])
        ids = np.concatenate([pool for pool, _ in pools])
        back = self._opposite(relations)
        queries = self._queries(ends, back)
        rivals = [self._rivals_of(relation) for relation in np.unique(back)]
        return VectorObjective(
            tails=self._seen_from_head(ids, np.repeat(distinct, sizes)),
            log_weights=np.concatenate([weights for _, weights in pools]),
            starts=np.cumsum(sizes) - sizes,
            counts=counts.astype(np.float32),
            true_tails=self._seen_from_head(ends, relations).sum(axis=0),
            queries=np.concatenate([queries, *(rival[0] for rival in rivals)]),
            log_sums=np.concatenate(
                [self._log_sums(queries, back), *(rival[1] for rival in rivals)]
            ),
            weights=np.concatenate(
                [np.ones(len(ends), dtype=np.float32), *(rival[2] for rival in rivals)]
            ),
            true_queries=queries.sum(axis=0),
            penalty=self._regulariser * 2 * len(ends),
            cubic_norm=self._architecture.cubic_norm,
        )

    def _of(self, relation: int) -> Ids:
        return self._edges[self._bounds[relation] : self._bounds[relation + 1]]

    def _opposite(self, relations: Ids) -> Ids:
        return (relations + self._num_relations) % (2 * self._num_relations)

    def _queries(self, heads: Ids, relations: Ids) -> Floats:
        vectors, ids = torch.from_numpy(self._entity[heads]), torch.from_numpy(relations)
        found: Floats = self._architecture.queries(self._parameters, vectors, ids).numpy()
        return found

    def _seen_from_head(self, tails: Ids, relations: Ids) -> Floats:
        """Return x with x · v = score(v, r, t): scores are linear in the head as well."""
        vectors, ids = torch.from_numpy(self._entity[tails]), torch.from_numpy(relations)
        found: Floats = self._architecture.backward_queries(self._parameters, vectors, ids).numpy()
        return found

    def _pool(self, relation: int, own: Ids | None = None) -> tuple[Ids, Floats]:
        """Return the candidates of a relation's softmax, `own` among them, and log weights."""
        found = self._pools.get(relation)
        if found is None:
            found = self._pools[relation] = self._sampled_pool(relation)
        if own is None:
            return found
        missing = np.setdiff1d(own, found[0])
        weights = np.concatenate([found[1], np.zeros(len(missing), dtype=np.float32)])
        return np.concatenate([found[0], missing]), weights

    def _sampled_pool(self, relation: int) -> tuple[Ids, Floats]:
        everything = np.unique(self._of(relation)[:, 2])
        near = self._sample(everything, self._config.candidates)
        rest = self._sample(self._known, self._config.sampled_rest)
        rest = np.setdiff1d(rest, everything)
        left = len(self._known) - len(everything)
        weights = np.concatenate(
            [_log_share(len(everything), len(near)), _log_share(left, len(rest))]
        )
        return np.concatenate([near, rest]), weights

    def _rivals_of(self, relation: int) -> tuple[Floats, Floats, Floats]:
        """Return queries of a relation that other entities answer, their sums and weights."""
        found = self._rivals.get(relation)
        if found is None:
            heads, counts = np.unique(self._of(relation)[:, 0], return_counts=True)
            chosen = self._sample(np.arange(len(heads)), self._config.rows)
            relations = np.full(len(chosen), relation, dtype=np.int64)
            queries = self._queries(heads[chosen], relations)
            share = np.float32(len(heads) / max(1, len(chosen)))
            weights = counts[chosen].astype(np.float32) * share
            found = self._rivals[relation] = (queries, self._log_sums(queries, relations), weights)
        return found

    def _log_sums(self, queries: Floats, relations: Ids) -> Floats:
        sums = np.empty(len(queries), dtype=np.float32)
        for relation in np.unique(relations):
            rows = relations == relation
            ids, weights = self._pool(int(relation))
            sums[rows] = logsumexp(queries[rows] @ self._entity[ids].T + weights, axis=1)
        return sums

    def _sample(self, ids: NDArray[Any], most: int) -> NDArray[Any]:
        if len(ids) <= most:
            return ids
        return np.sort(self._generator.choice(ids, most, replace=False))


def _log_share(whole: int, sampled: int) -> Floats:
    share = np.log(max(1.0, whole / max(1, sampled)))
    return np.full(sampled, share, dtype=np.float32)
