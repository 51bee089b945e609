"""Training cones and rough cones on a snapshot: seeded, interruptible, resumable by epochs.

The loss of a batch is that of `reasoning.cones.losses` on the ordinary distance; rough cones add
the owners' term (RConE's sub-entity loss, arXiv 2408.11526): where answers are parts, their owners
are told from other owners by the rim. A share of the edges is kept out by hash for validation, and
the best epoch on it is what comes back.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from kg.errors import InputError
from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.cones.batches import BatchPlan, BatchSettings
from reasoning.cones.checkpoint import remove_state
from reasoning.cones.config import ConeTrainingConfig
from reasoning.cones.fitting import Trainer
from reasoning.cones.model import ConeModel, GeometryName
from reasoning.cones.parts import PartFeatures, PartTable, snapshot_table
from reasoning.cones.scene_batches import ScenePlan
from reasoning.cones.start import start_axes
from reasoning.cones.training_queries import training_queries
from reasoning.cones.uniform_batches import UniformPlan
from reasoning.cones.validation import Validation, calibrate, validation_split
from reasoning.id_sets import directed_edges

__all__ = ["train_cones"]


def train_cones(
    snapshot: Snapshot,
    config: ConeTrainingConfig | None = None,
    *,
    geometry: GeometryName = "cone",
    seed: int = 0,
    progress: Progress = silent,
    resume_folder: Path | None = None,
    part_features: PartFeatures | None = None,
) -> ConeModel:
    """Train ConE or RConE on the edges of a snapshot.

    Args:
        snapshot: The graph; whatever it does not hold is not seen.
        config: Hyper-parameters.
        geometry: ``cone`` or ``rough``.
        seed: Everything random follows from it: two runs on one thread agree to the byte.
        progress: Told (steps done, steps at most); may raise to end the work.
        resume_folder: Where the state of each epoch goes, and is taken up from if it belongs to
            the same snapshot, configuration and seed; emptied of it at the end.
        part_features: Geometry and vectors of parts. Without them each part gets a free axis.

    Returns:
        The model of the best epoch, in evaluation mode, calibrated.

    Raises:
        InputError: The snapshot has no edges to train on, or features name what is no part.

    Example:
        >>> from kg.model import Edge, Entity, EntityKey
        >>> from kg.provenance import Provenance
        >>> from kg.snapshot import build_snapshot
        >>> from reasoning.cones.config import ConeTrainingConfig
        >>> nodes = [Entity(key=EntityKey(k), label="City", name=k) for k in "ab"]
        >>> source = Provenance(kind="asserted", source="a map")
        >>> road = Edge(head=EntityKey("a"), relation="road", tail=EntityKey("b"),
        ...             provenance=(source,))
        >>> quick = ConeTrainingConfig(epochs=1, steps=1)
        >>> train_cones(build_snapshot(nodes, [road]), quick).num_entities
        2
    """
    settings = config or ConeTrainingConfig()
    settings = replace(settings, model=replace(settings.model, geometry=geometry))
    training = validation_split(snapshot, share=settings.valid_share, seed=seed)
    edges = directed_edges(training, min_probability=settings.min_probability)
    if len(edges.starts) == 0:
        raise InputError("a graph without edges cannot be trained on", hint="import some first")
    validation = Validation.of(snapshot, edges, min_probability=settings.min_probability, seed=seed)
    queries = training_queries(
        training,
        edges,
        structures=settings.structures,
        part_structures=settings.part_structures,
        count=settings.queries,
        generator=np.random.default_rng([seed, 1]),
    )
    kind = _plan(settings.batches)
    plan = kind(training, queries, settings.batches)
    key = snapshot.hash, _run_key(settings, seed, part_features is not None)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = _new_model(training, settings, part_features, seed)
        trainer = Trainer(fresh, training, settings, seed)
        model = trainer.fit(plan, validation, progress, resume_folder, key)
    if part_features is not None:  # from now on the labels kept out for validation are read too
        model.table = _table(snapshot, settings, part_features)
    calibrate(model, validation)
    if resume_folder is not None:
        remove_state(resume_folder)
    return model


def _plan(settings: BatchSettings) -> type[UniformPlan | BatchPlan]:
    if settings.own:
        return UniformPlan
    return ScenePlan if settings.scenes else BatchPlan


def _run_key(settings: ConeTrainingConfig, seed: int, with_parts: bool) -> str:
    text = json.dumps([asdict(settings), seed, with_parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _new_model(
    training: Snapshot, settings: ConeTrainingConfig, features: PartFeatures | None, seed: int
) -> ConeModel:
    model = ConeModel(
        training.num_entities,
        2 * training.num_relations,
        settings.model,
        table=None if features is None else _table(training, settings, features),
    )
    if settings.start_scale:
        dim, lowest = settings.model.shape.dim, settings.min_probability
        start = start_axes(training, dim, min_probability=lowest, seed=seed)
        with torch.no_grad():
            model.entity.weight.add_(start, alpha=settings.start_scale)
    return model


def _table(snapshot: Snapshot, settings: ConeTrainingConfig, features: PartFeatures) -> PartTable:
    return snapshot_table(
        snapshot,
        features,
        label_relation=settings.model.label_relation,
        width=settings.model.parts.neighbours,
        min_probability=settings.min_probability,
    )
