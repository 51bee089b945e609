"""Fits an `EnsemblePredictor` on validation edges that its models have not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.predictors.ensemble.completeness import fit_completeness
from reasoning.predictors.ensemble.config import EnsembleConfig
from reasoning.predictors.ensemble.evidence import Evidence
from reasoning.predictors.ensemble.examples import Missing, examples_of, missing_tails
from reasoning.predictors.ensemble.fitting import fit_calibration, fit_weights
from reasoning.predictors.ensemble.predictor import EnsemblePredictor
from reasoning.protocols import ScoreModel

__all__ = ["fit_ensemble", "fit_on_rows"]


def fit_ensemble(
    graph: Snapshot,
    valid_edges: NDArray[np.int32],
    models: Sequence[ScoreModel],
    config: EnsembleConfig | None = None,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> EnsemblePredictor:
    """Fit the mix of several models and its calibration.

    Args:
        graph: The edges that the models were trained on.
        valid_edges: ``(n, 3)`` head, relation and tail ids of edges outside `graph`.
        models: Embeddings, rule sets: whatever scores tails.
        config: How the mix is fitted.
        seed: Of the samples.
        progress: Told the rows done.

    Raises:
        InputError: There is no validation edge outside the graph.
        SettingError: There is no model, or one scores another number of entities.
    """
    evidence = Evidence(graph, models)
    missing = missing_tails(_new(graph, valid_edges), graph.num_relations)
    return fit_on_rows(evidence, missing, config or EnsembleConfig(), seed=seed, progress=progress)


def fit_on_rows(
    evidence: Evidence,
    missing: Missing,
    config: EnsembleConfig,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> EnsemblePredictor:
    """Fit on some rows of held-out tails, as `fit_ensemble` does on all of them.

    Args:
        evidence: Models and the edges that they were trained on.
        missing: Rows; measuring fits on some and judges on others.
        config: How the mix is fitted.
        seed: Of the samples.
        progress: Told the rows done.

    Raises:
        InputError: There is no row.
    """
    if len(missing.steps) == 0:
        raise InputError(
            "no validation edges that the graph lacks",
            hint="an ensemble is fitted on edges that its models have not seen",
        )
    steps = 2 * evidence.snapshot.num_relations
    completeness = fit_completeness(
        evidence.signatures, missing, steps, shrinkage=config.shrinkage, seed=seed
    )
    if len(missing.steps) > config.rows:
        drawn = np.random.default_rng(seed).choice(len(missing.steps), config.rows, replace=False)
        missing = missing.taking(np.sort(drawn))
    total = len(missing.steps)
    examples = examples_of(
        evidence, missing, config, seed=seed, reported=lambda done: progress(done, total)
    )
    log_missing = config.completeness * np.concatenate(
        [
            np.log(completeness.missing(evidence.signatures, step)[missing.heads[rows]])
            for step, rows in _by_step(missing)
        ]
    ).astype(np.float32)
    weights = fit_weights(examples, steps, shrinkage=config.shrinkage)
    return EnsemblePredictor(
        evidence=evidence,
        weights=weights,
        calibration=fit_calibration(examples, weights, log_missing, shrinkage=config.shrinkage),
        completeness=completeness,
        config=config,
    )


def _by_step(missing: Missing) -> Iterator[tuple[int, slice]]:
    for step in np.unique(missing.steps).tolist():
        low, high = np.searchsorted(missing.steps, [step, step + 1])
        yield step, slice(int(low), int(high))


def _new(graph: Snapshot, edges: NDArray[np.int32]) -> NDArray[np.int32]:
    """Leave out the edges that the graph holds."""
    stored = np.stack([graph.heads, graph.relations, graph.tails], axis=1)
    wanted, old = (
        (rows[:, 0].astype(np.int64) * graph.num_relations + rows[:, 1]) * graph.num_entities
        + rows[:, 2]
        for rows in (edges, stored)
    )
    return edges[~np.isin(wanted, old)]
