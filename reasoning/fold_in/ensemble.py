"""Folding in the whole link predictor of a graph folder: embedding, rules and their mix.

The embedding gets vectors for what is new, rules are followed through the later graph, and weights
and calibration stay as they were fitted. A relation that is new is not predicted until training.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kg.errors import SettingError
from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.fold_in.config import FoldInConfig
from reasoning.fold_in.folding import fold_in
from reasoning.fold_in.growth import Growth, growth_of
from reasoning.predictors.embeddings.model import EmbeddingModel
from reasoning.predictors.ensemble.evidence import Evidence
from reasoning.predictors.ensemble.predictor import EnsemblePredictor
from reasoning.predictors.rules.rule_set import RuleSet
from reasoning.protocols import ScoreModel

__all__ = ["fold_in_ensemble"]

_NEVER = -60.0
"""Log-odds of a new relation: it is not predicted, and its rows are not computed."""


def fold_in_ensemble(
    predictor: EnsemblePredictor,
    after: Snapshot,
    config: FoldInConfig | None = None,
    *,
    described: NDArray[np.float32] | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> EnsemblePredictor:
    """Make an ensemble of a later graph from one of an earlier graph.

    Args:
        predictor: Of the earlier graph.
        after: The later graph.
        config: Of folding in embeddings.
        described: Vectors of texts or pictures, see `fold_in`.
        seed: Of samples.
        progress: Told the entities done.

    Raises:
        SettingError: A model is neither an embedding nor a set of rules.
    """
    before = predictor.snapshot
    models: list[ScoreModel] = []
    for model in predictor.models:
        if isinstance(model, EmbeddingModel):
            folded = fold_in(
                model, before, after, config, described=described, seed=seed, progress=progress
            )
            models.append(folded.model)
        elif isinstance(model, RuleSet):
            models.append(model.on(after))
        else:
            raise SettingError(f"a {type(model).__name__} cannot be folded in")
    growth = growth_of(before, after)
    completeness, calibration = predictor.completeness, predictor.calibration
    return EnsemblePredictor(
        evidence=Evidence(after, models),
        weights=growth.carried_relations(predictor.weights),
        calibration=replace(
            calibration,
            further=_carried(calibration.further, growth, 0.0),
            offsets=_carried(calibration.offsets, growth, _NEVER),
        ),
        completeness=replace(completeness, offsets=_carried(completeness.offsets, growth, _NEVER)),
        config=predictor.config,
    )


def _carried(of_steps: NDArray[np.float32], growth: Growth, of_new: float) -> NDArray[np.float32]:
    found = growth.carried_relations(of_steps[:, None])[:, 0]
    found[np.tile(growth.relation < 0, 2)] = of_new
    return found
