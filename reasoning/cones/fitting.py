"""The training loop of cones: epochs, learning rate, the best on validation, resuming."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from encoders.optimisers import Adam
from kg.progress import Progress
from kg.snapshot import Snapshot
from reasoning.cones.batches import Batch
from reasoning.cones.checkpoint import TrainingState, load_state, save_state
from reasoning.cones.config import ConeTrainingConfig
from reasoning.cones.model import ConeModel
from reasoning.cones.steps import TrainingStep
from reasoning.cones.validation import Validation

__all__ = ["Plan", "Trainer"]


class Plan(Protocol):
    """Draws batches."""

    def draw(self, generator: np.random.Generator) -> Batch:
        """Draw one batch."""
        ...


class Trainer:
    """The loop; holds what every step needs.

    Args:
        model: What is trained.
        training: The training graph.
        settings: Hyper-parameters.
        seed: Everything random follows from it.
    """

    def __init__(
        self, model: ConeModel, training: Snapshot, settings: ConeTrainingConfig, seed: int
    ) -> None:
        self._model = model
        self._settings = settings
        self._seed = seed
        self._adam = Adam(model.parameters(), lr=settings.learning_rate, fused=True)
        self._step = TrainingStep(model, training, settings)

    def fit(
        self,
        plan: Plan,
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

    def _epoch(self, plan: Plan, epoch: int, progress: Progress, total: int) -> None:
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
            loss = self._step.loss(plan.draw(drawing), hiding)
            self._adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._adam.step()

    def _rate(self, done: int, total: int) -> float:
        warm = min(1.0, 2 * (done + 1) / self._settings.steps)
        return self._settings.learning_rate * warm * (1 - 0.9 * done / total)
