"""Test queries of a graph folder: published ones, sampled ones, and those of a split dealt anew.

Maps that were fitted on validation answers promise what comes true of test answers if test edges
are missing as validation edges are. Whether a data set's own split is so can be told by dealing its
held-out edges anew: then it is so, whatever they are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kg.graph_folder import GraphFolder
from kg.progress import Progress, silent
from reasoning.folder_model import FolderModel
from reasoning.judged_answers import validation_queries
from reasoning.predictors.ensemble import fit_ensemble
from reasoning.query_files import read_query_file
from reasoning.sampling import QuerySet, taken
from reasoning.structures import STRUCTURES

__all__ = ["EDGES", "dealt_anew", "refitted", "test_queries"]

EDGES = "1p"
"""Queries of one edge: their answers are the new tails of a head and a relation."""

_VALID = 1


def test_queries(
    graph: GraphFolder, limit: int, edges: int, seed: int, *, sampled: bool
) -> list[QuerySet]:
    """Return queries that need a test edge: up to `edges` of one, `limit` of each other kind."""
    path = graph.path / "test-queries.jsonl.gz"
    if sampled or not path.is_file():
        return validation_queries(graph.train_valid, graph.full, limit, seed=seed + 1)
    generator = np.random.default_rng(seed)
    chosen = []
    for queries in read_query_file(path, graph):
        most = edges if queries.structure == STRUCTURES[EDGES] else limit
        rows = generator.permutation(len(queries))[:most]
        chosen.append(taken(queries, rows))
    return chosen


def dealt_anew(graph: GraphFolder, seed: int) -> GraphFolder:
    """Return the graph with validation and test edges dealt at random, as many of each."""
    split = graph.split.copy()
    held_out = np.flatnonzero(split >= _VALID)
    split[held_out] = np.random.default_rng(seed).permutation(split[held_out])
    return replace(graph, split=split)


def refitted(model: FolderModel, graph: GraphFolder, *, progress: Progress = silent) -> FolderModel:
    """Fit the mix of a model again on the validation edges of a graph; embeddings and rules stay.

    Args:
        model: Of the same training edges.
        graph: With other validation edges.
        progress: Told the rows done.
    """
    predictor = fit_ensemble(
        graph.train,
        graph.edges("valid"),
        model.predictor.models,
        model.config.ensemble,
        seed=int(model.manifest["plan"]["seed"]),
        progress=progress,
    )
    return replace(model, predictor=predictor, calibration=None)
