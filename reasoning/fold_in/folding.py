"""Folding in: an embedding of an earlier graph made one of a later graph, without training.

Vectors of entities and relations are carried over by key. A new entity gets the vector with the
least training loss on its edges while all other vectors stand still (`objective`); one without
edges the vector that its text or picture suggests, or else the mean of its label. Old entities of
which many edges are new are fitted anew in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from kg.errors import SettingError
from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.fold_in.config import FoldInConfig
from reasoning.fold_in.descriptions import FEWEST_DESCRIBED, fit_description_map
from reasoning.fold_in.evidence import Evidence, Ids
from reasoning.fold_in.growth import Growth, growth_of
from reasoning.fold_in.objective import minimum
from reasoning.predictors.embeddings.model import EmbeddingModel

__all__ = ["FoldedIn", "fold_in"]


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldedIn:
    """An embedding of the later graph, and where its new vectors come from.

    Attributes:
        model: Over the later graph.
        growth: What was added.
        from_edges: Ids of new entities fitted to their edges.
        from_descriptions: Ids of new entities placed by their text or picture.
        from_labels: Ids of new entities of which only the label is known.
        refreshed: Ids of old entities fitted anew.
    """

    model: EmbeddingModel
    growth: Growth
    from_edges: Ids = field(repr=False)
    from_descriptions: Ids = field(repr=False)
    from_labels: Ids = field(repr=False)
    refreshed: Ids = field(repr=False)


def fold_in(
    model: EmbeddingModel,
    before: Snapshot,
    after: Snapshot,
    config: FoldInConfig | None = None,
    *,
    described: NDArray[np.float32] | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> FoldedIn:
    """Make an embedding of a later graph from one of an earlier graph.

    Args:
        model: Trained on `before`.
        before: The earlier graph.
        after: The later graph: more entities, edges, relations. A relation that is new has no
            vector and favours no tail until the model is trained again.
        config: Sizes and limits.
        described: ``(after.num_entities, any)`` vectors of texts or pictures; rows of zeros where
            an entity has none.
        seed: Of samples.
        progress: Told the entities done.

    Raises:
        SettingError: The model or `described` has another number of entities.

    Example:
        >>> from kg.model import Entity, EntityKey
        >>> from kg.snapshot import build_snapshot
        >>> from reasoning.predictors.embeddings import ComplexConfig, train_embedding
        >>> a, b, c = (Entity(key=EntityKey(key), label="X", name=key) for key in "abc")
        >>> before, after = build_snapshot([a, c], []), build_snapshot([a, b, c], [])
        >>> trained = train_embedding(before, ComplexConfig(rank=2, epochs=1))
        >>> folded = fold_in(trained, before, after)
        >>> bool((folded.model.entity[2] == trained.entity[1]).all()), folded.from_labels.tolist()
        (True, [1])
    """
    if model.num_entities != before.num_entities or model.num_relations != before.num_relations:
        raise SettingError(
            f"the model is of {model.num_entities} entities and {model.num_relations} relations, "
            f"the earlier graph has {before.num_entities} and {before.num_relations}",
            hint="give the graph that the model was trained on",
        )
    if described is not None and len(described) != after.num_entities:
        raise SettingError(
            f"{len(described)} descriptions for {after.num_entities} entities", where="described"
        )
    folding = _Folding(model, before, after, config or FoldInConfig(), seed, progress)
    return folding.run(described)


class _Folding:
    def __init__(
        self,
        model: EmbeddingModel,
        before: Snapshot,
        after: Snapshot,
        config: FoldInConfig,
        seed: int,
        progress: Progress,
    ) -> None:
        self.after = after
        self.config = config
        self.growth = growth_of(before, after)
        self.generator = np.random.default_rng(seed)
        self.progress = progress
        self.entity = self.growth.carried(model.entity)
        relation = self.growth.carried_relations(model.parameters["relation"])
        parameters = {**model.parameters, "relation": relation}
        self.model = replace(model, entity=self.entity, parameters=parameters)
        self.edges, self.is_new = self._directed_edges()
        self.is_whole = np.asarray(after.parents) < 0

    def run(self, described: NDArray[np.float32] | None) -> FoldedIn:
        """Fit all vectors; `described` places what has no edges."""
        placed = (self.growth.entity >= 0) & self.is_whole
        added = np.flatnonzero((self.growth.entity < 0) & self.is_whole)
        settled = self.edges[placed[self.edges[:, 0]] & placed[self.edges[:, 2]]]
        evidence = Evidence(
            self.model, settled, np.flatnonzero(placed), self.config, self.generator
        )
        refreshed = self._due(placed)
        todo = np.concatenate([added, refreshed])
        fitted = np.zeros(len(placed), dtype=np.bool_)
        for number in range(self.config.passes):
            # edges to entities that only now have a vector count from the second pass on
            todo = todo if number == 0 else self._beside(todo, added)
            for done, entity in enumerate(todo, start=1):
                fitted[entity] |= self._fit(int(entity), placed, evidence)
                self.progress(done, len(todo))
            placed = placed | fitted
        rest = added[~fitted[added]]
        from_descriptions = self._place(rest, described, np.flatnonzero(placed))
        return FoldedIn(
            model=replace(self.model, entity=self.entity),
            growth=self.growth,
            from_edges=added[fitted[added]],
            from_descriptions=from_descriptions,
            from_labels=np.setdiff1d(rest, from_descriptions),
            refreshed=refreshed[fitted[refreshed]],
        )

    def _directed_edges(self) -> tuple[Ids, NDArray[np.bool_]]:
        """Return ``(n, 3)`` start, directed relation, end sorted by start; and which are new."""
        after, count = self.after, self.after.num_relations
        heads, relations, tails = (
            np.asarray(array).astype(np.int64)
            for array in (after.heads, after.relations, after.tails)
        )
        forward = np.stack([heads, relations, tails], axis=1)
        backward = np.stack([tails, relations + count, heads], axis=1)
        edges = np.concatenate([forward, backward])
        trained = np.tile(self.growth.relation[relations] >= 0, 2)
        order = np.flatnonzero(trained)
        order = order[np.argsort(edges[order, 0], kind="stable")]
        return edges[order], np.tile(self.growth.new_edges, 2)[order]

    def _due(self, placed: NDArray[np.bool_]) -> Ids:
        """Return old entities with so many new edges that their vector is fitted anew."""
        size = len(placed)
        all_edges = np.bincount(self.edges[:, 0], minlength=size)
        new = np.bincount(self.edges[self.is_new, 0], minlength=size)
        return np.flatnonzero(placed & (new > 0) & (new >= self.config.refreshed_share * all_edges))

    def _beside(self, todo: Ids, added: Ids) -> Ids:
        """Return those that have an edge to a new entity."""
        is_added = np.zeros(self.after.num_entities, dtype=np.bool_)
        is_added[added] = True
        return np.intersect1d(todo, self.edges[is_added[self.edges[:, 2]], 0])

    def _fit(self, entity: int, placed: NDArray[np.bool_], evidence: Evidence) -> bool:
        low, high = np.searchsorted(self.edges[:, 0], [entity, entity + 1])
        _, relations, ends = self.edges[low:high].T
        usable = placed[ends] & (ends != entity) & evidence.has_edges(relations)
        if not usable.any():
            return False
        relations, ends = relations[usable], ends[usable]
        old = self.entity[entity]
        start = old if old.any() else evidence.starting_point(relations)
        objective = evidence.objective(relations, ends)
        self.entity[entity] = minimum(
            objective, start, steps=self.config.steps, tolerance=self.config.tolerance
        )
        return True

    def _place(self, rest: Ids, described: NDArray[np.float32] | None, known: Ids) -> Ids:
        """Place entities without usable edges; return those placed by their description."""
        for label in np.unique(self.after.label_ids[rest]):
            alike = known[self.after.label_ids[known] == label]
            pool = alike if len(alike) else known
            if len(pool):
                members = rest[self.after.label_ids[rest] == label]
                self.entity[members] = self.entity[pool].mean(axis=0)
        if described is None or len(rest) == 0:
            return rest[:0]
        has_description = (described != 0).any(axis=1)
        sources: Ids = known[has_description[known]]
        targets: Ids = rest[has_description[rest]]
        if len(targets) == 0 or len(sources) < FEWEST_DESCRIBED:
            return rest[:0]
        found = fit_description_map(
            described[sources], self.entity[sources], generator=self.generator
        )
        self.entity[targets] = found.apply(described[targets])
        return targets
