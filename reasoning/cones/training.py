"""Training cones and rough cones on a snapshot: seeded, interruptible, resumable by epochs.

The loss of a batch is that of `reasoning.cones.losses` on the ordinary distance; rough cones add the
owners' term (RConE's sub-entity loss, arXiv 2408.11526): where answers are parts, their owners are
told from other owners by the rim. A share of the edges is kept out by hash for validation, and the
best epoch on it is what comes back.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kg.errors import InputError, SettingError
from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.cones.batches import Batch, BatchPlan, BatchSettings, training_queries
from reasoning.cones.checkpoint import TrainingState, load_state, remove_state, save_state
from reasoning.cones.losses import LossName, query_loss
from reasoning.cones.model import AnyCone, ConeModel, ConeModelConfig, GeometryName
from reasoning.cones.parts import PartFeatures, PartTable, snapshot_table
from reasoning.cones.start import start_axes
from reasoning.cones.validation import Validation, calibrate, validation_split
from reasoning.id_sets import directed_edges
from reasoning.structures import STRUCTURES, TRAINING_STRUCTURES, directed

__all__ = ["ConeTrainingConfig", "train_cones"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConeTrainingConfig:
    """How a cone model is trained. Defaults are for graphs of a few thousand entities.

    Attributes:
        model: What is trained; its `geometry` is set by `train_cones`.
        batches: How batches are drawn.
        structures: What to train on, 1p included.
        part_structures: Structures sampled once more with parts as answers, if there are any.
        queries: Most queries to sample of each structure but 1p, which is taken whole.
        epochs: Most epochs.
        steps: Batches an epoch.
        patience: Epochs without a gain on validation before training ends.
        learning_rate: Of Adam, reached after half an epoch, falling to a tenth at the end.
        loss: ``softmax`` or ``margin`` (as published).
        owner_weight: Weight of the owners' term (0.005 · C in the public code).
        valid_share: Share of edges kept out for validation, [0, 1).
        min_probability: Edges below it are not trained on.
        start_scale: Spread of the entities' raw axes over the coordinates they start from, see
            `reasoning.cones.start`; 0 starts them at random.

    Raises:
        SettingError: A field is out of its range.
    """

    model: ConeModelConfig = field(default_factory=ConeModelConfig)
    batches: BatchSettings = field(default_factory=BatchSettings)
    structures: tuple[str, ...] = TRAINING_STRUCTURES
    part_structures: tuple[str, ...] = ("2p", "2i", "3i", "2in")
    queries: int = 1500
    epochs: int = 8
    steps: int = 75
    patience: int = 4
    learning_rate: float = 5e-3
    loss: LossName = "softmax"
    owner_weight: float = 0.2
    valid_share: float = 0.05
    min_probability: float = 0.5
    start_scale: float = 0.07

    def __post_init__(self) -> None:
        """Check ranges."""
        for name in ("epochs", "steps", "patience"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, got {getattr(self, name)}")
        unknown = sorted({*self.structures, *self.part_structures} - set(STRUCTURES))
        if unknown or not self.structures:
            raise SettingError(f"no structures {unknown}", hint=f"choose from {list(STRUCTURES)}")
        if self.loss not in ("softmax", "margin"):
            raise SettingError(f"loss must be softmax or margin, got {self.loss!r}")
        if not 0.0 <= self.valid_share < 1.0:
            raise SettingError(f"valid_share must lie in [0, 1), got {self.valid_share}")
        if self.learning_rate <= 0 or min(self.owner_weight, self.start_scale) < 0:
            raise SettingError(
                "learning_rate must be above 0, owner_weight and start_scale not below it"
            )


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
    plan = BatchPlan(training, queries, settings.batches)
    key = snapshot.hash, _run_key(settings, seed, part_features is not None)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = _new_model(training, settings, part_features, seed)
        trainer = _Trainer(fresh, training, settings, seed)
        model = trainer.fit(plan, validation, progress, resume_folder, key)
    if part_features is not None:  # from now on the labels kept out for validation are read too
        model.table = _table(snapshot, settings, part_features)
    calibrate(model, validation)
    if resume_folder is not None:
        remove_state(resume_folder)
    return model


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


class _Trainer:
    """The loop; holds what every step needs."""

    def __init__(
        self, model: ConeModel, training: Snapshot, settings: ConeTrainingConfig, seed: int
    ) -> None:
        self._model = model
        self._settings = settings
        self._seed = seed
        self._parents = torch.from_numpy(np.asarray(training.parents).astype(np.int64))
        self._adam = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
        label = training.relation_names.get(settings.model.label_relation)
        self._asks_label = -1 if label is None else directed(label, inverse=True)
        self._gives_label = -1 if label is None else directed(label, inverse=False)

    def fit(
        self,
        plan: BatchPlan,
        validation: Validation,
        progress: Progress,
        folder: Path | None,
        key: tuple[str, str],
    ) -> ConeModel:
        """Train to the end and return the best epoch's model."""
        model, settings = self._model, self._settings
        state = TrainingState()
        if folder is not None:
            state = load_state(folder, model, self._adam, key)
        total = settings.epochs * settings.steps
        while state.epoch < settings.epochs and self._may_gain(state):
            self._epoch(plan, state.epoch, progress, total)
            score = validation.mrr(model.eval())
            state.epoch += 1
            # without validation edges the last epoch is the best
            if score > state.best_score or len(validation.queries) == 0:
                state.best_score, state.best_epoch = score, state.epoch
                state.best = {name: value.clone() for name, value in model.state_dict().items()}
            if folder is not None:
                save_state(folder, state, model, self._adam, key)
        progress(total, total)
        if state.best is not None:
            model.load_state_dict(state.best)
        return model.eval()

    def _may_gain(self, state: TrainingState) -> bool:
        return state.epoch - state.best_epoch < self._settings.patience

    def _epoch(self, plan: BatchPlan, epoch: int, progress: Progress, total: int) -> None:
        steps = self._settings.steps
        drawing = np.random.default_rng([self._seed, 2, epoch])
        hiding = torch.Generator().manual_seed(int(drawing.integers(2**62)))
        torch.manual_seed(int(drawing.integers(2**62)))  # dropout; the caller forked the state
        self._model.train()
        for step in range(steps):
            done = epoch * steps + step
            progress(done, total)
            for group in self._adam.param_groups:
                group["lr"] = self._rate(done, total)
            loss = self._loss(plan.draw(drawing), hiding)
            self._adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._adam.step()

    def _rate(self, done: int, total: int) -> float:
        warm = min(1.0, 2 * (done + 1) / self._settings.steps)
        return self._settings.learning_rate * warm * (1 - 0.9 * done / total)

    def _loss(self, batch: Batch, hiding: torch.Generator) -> Tensor:
        model, settings = self._model, self._settings
        relations = torch.from_numpy(batch.relations)
        positive, ignored = torch.from_numpy(batch.positive), torch.from_numpy(batch.ignored)
        asked = (relations == self._asks_label).any(1)
        hide = self._some(len(batch.candidates), hiding) | (positive & asked[:, None]).any(0)
        candidates = torch.from_numpy(batch.candidates)
        cone = model.embed(batch.structure, self._anchors(batch, relations, hiding), relations)
        axes = model.axes(candidates, hidden=hide, generator=hiding)
        loss = query_loss(model.scores(cone, axes, candidates), positive, ignored, settings.loss)
        if batch.of_parts and settings.model.geometry == "rough" and settings.owner_weight:
            loss = loss + settings.owner_weight * self._owner_loss(batch, cone)
        return loss

    def _anchors(self, batch: Batch, relations: Tensor, hiding: torch.Generator) -> Tensor:
        anchors = torch.from_numpy(batch.anchors)
        given = (relations == self._gives_label).any(1, keepdim=True).expand(anchors.shape)
        flat = anchors.reshape(-1)
        hide = self._some(len(flat), hiding) | given.reshape(-1)
        return self._model.axes(flat, hidden=hide, generator=hiding).view(*anchors.shape, -1)

    def _some(self, count: int, hiding: torch.Generator) -> Tensor:
        return torch.rand(count, generator=hiding) < self._settings.model.parts.hide_label

    def _owner_loss(self, batch: Batch, cone: AnyCone) -> Tensor:
        owners = torch.unique(self._parents[torch.from_numpy(batch.candidates)])
        owners = owners[owners >= 0]
        rows, answers = (torch.from_numpy(array) for array in batch.answers)
        holds = torch.zeros(len(batch.anchors), len(owners), dtype=torch.bool)
        place = torch.searchsorted(owners, self._parents[answers]).clamp(max=len(owners) - 1)
        hit = owners[place] == self._parents[answers]
        holds[rows[hit], place[hit]] = True
        scores = self._model.owner_scores(cone, self._model.axes(owners), owners)
        return query_loss(scores, holds, torch.zeros_like(holds), self._settings.loss)
