"""Folding in the default link predictor of small graphs: embedding, walks and mixtures.

The embedding gets vectors for what is new, walks run through the later graph, and the mixtures stay
as they were fitted; all probabilities are computed anew.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.fold_in.config import FoldInConfig
from reasoning.fold_in.folding import fold_in
from reasoning.fold_in.growth import Growth
from reasoning.predictors.calibrated import CalibratedPredictor, RelationModel
from reasoning.predictors.features import Features, Pairs
from reasoning.predictors.positions import Positions
from reasoning.predictors.predicted_edges import predicted_edges
from reasoning.predictors.typing import RelationTypes

__all__ = ["fold_in_calibrated"]


def fold_in_calibrated(
    predictor: CalibratedPredictor,
    after: Snapshot,
    config: FoldInConfig | None = None,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> CalibratedPredictor:
    """Make a predictor of a later graph from one of an earlier graph.

    A relation is predicted as before unless it is new, one of its walks uses a relation that is
    gone, or it has other kinds of evidence now (coordinates, parts): then it waits for training.

    Args:
        predictor: Of the earlier graph.
        after: The later graph.
        config: Of folding in the embedding.
        seed: Of samples.
        progress: Told the relations done.
    """
    folded = fold_in(predictor.embedding, predictor.snapshot, after, config, seed=seed)
    settings = predictor.config
    types = RelationTypes(after)
    positions = Positions(after, settings.position_attributes, settings.area_attribute)
    features = Features(after, types, folded.model, positions)
    models, matrices = {}, []
    for relation in range(after.num_relations):
        old = predictor.models.get(int(folded.growth.relation[relation]))
        model = None if old is None else _renumbered(old, predictor.snapshot, folded.growth)
        if model is not None and _width(features, relation, model) != len(model.mixture.weights):
            model = None
        if model is not None:
            models[relation] = model
        matrices.append(
            predicted_edges(after, types, features, relation, model, kept_tails=settings.kept_tails)
        )
        progress(relation + 1, after.num_relations)
    return CalibratedPredictor(
        snapshot=after,
        matrices=matrices,
        models=models,
        embedding=folded.model,
        config=settings,
        seed=predictor.seed,
    )


def _width(features: Features, relation: int, model: RelationModel) -> int:
    """Return how many columns of evidence a relation has on the later graph."""
    nothing = np.empty(0, dtype=np.int32)
    pair = Pairs(heads=np.zeros(1, dtype=np.int32), rows=nothing.astype(np.int64), tails=nothing)
    return int(features.columns(relation, pair, model.bodies).shape[1])


def _renumbered(model: RelationModel, before: Snapshot, growth: Growth) -> RelationModel | None:
    """Return a model whose walks use the later graph's relations; None if one is gone."""
    count, later = before.num_relations, len(growth.relation)
    place = {int(old): new for new, old in enumerate(growth.relation) if old >= 0}
    bodies = []
    for body in model.bodies:
        steps = [(place.get(step % count), step >= count) for step in body]
        if any(relation is None for relation, _ in steps):
            return None
        bodies.append(tuple((r or 0) + later * inverse for r, inverse in steps))
    return replace(model, bodies=tuple(bodies))
