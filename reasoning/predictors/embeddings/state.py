"""Everything that the next epoch of a training depends on: vectors, Adagrad's sums, generator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from kg.errors import CheckpointMismatchError, MissingPartError
from reasoning.checkpoint import load_checkpoint, save_checkpoint

__all__ = ["TrainingState"]

_KIND = "embedding-state"


@dataclass(kw_only=True, eq=False)
class TrainingState:
    """A training between two epochs.

    Attributes:
        tensors: Parameters by name, the entities among them.
        sums: Adagrad's sums of squared gradients by the same names.
        generator: Of batches and samples.
        epoch: Epochs done.
        mean: Mean of the parameters over the last epochs; empty where none is asked for.
        best: The parameters with the best valid figure so far; empty without valid edges.
        best_figure: That figure.
        best_epoch: When it was reached.
    """

    tensors: dict[str, torch.Tensor]
    sums: dict[str, torch.Tensor]
    generator: torch.Generator
    epoch: int = 0
    mean: dict[str, torch.Tensor] = field(default_factory=dict)
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    best_figure: float = -1.0
    best_epoch: int = 0

    @classmethod
    def fresh(cls, shapes: Mapping[str, tuple[int, ...]], scale: float, seed: int) -> TrainingState:
        """Draw initial values; `shapes` are drawn in their order."""
        generator = torch.Generator().manual_seed(seed)
        tensors = {
            name: torch.randn(shape, generator=generator).mul_(scale)
            for name, shape in shapes.items()
        }
        sums = {name: torch.zeros_like(tensor) for name, tensor in tensors.items()}
        return cls(tensors=tensors, sums=sums, generator=generator)

    def step(
        self, name: str, gradient: torch.Tensor, rate: float, rows: torch.Tensor | None = None
    ) -> None:
        """Take a step of Adagrad, as `torch.optim.Adagrad` does (which takes 2 s to import).

        Args:
            name: Of the parameter.
            gradient: Of all its rows, or of `rows`.
            rate: Learning rate.
            rows: Distinct rows that have a gradient; the others stay, as with a gradient of 0.
        """
        values, sums = self.tensors[name], self.sums[name]
        if rows is None:
            sums.addcmul_(gradient, gradient)
            values.addcdiv_(gradient, sums.sqrt().add_(1e-10), value=-rate)
            return
        total = sums[rows].addcmul_(gradient, gradient)
        sums[rows] = total
        values[rows] = values[rows].addcdiv_(gradient, total.sqrt().add_(1e-10), value=-rate)

    def average(self, count: int) -> None:
        """Take the parameters into their mean, as the last of `count` epochs."""
        if count <= 1:
            self.mean = {name: tensor.clone() for name, tensor in self.tensors.items()}
        else:
            for name, tensor in self.mean.items():
                tensor.lerp_(self.tensors[name], 1.0 / count)

    @property
    def result(self) -> dict[str, torch.Tensor]:
        """The parameters that an epoch is judged by: their mean, where there is one."""
        return self.mean or self.tensors

    def judge(self, figure: float) -> None:
        """Keep the parameters if a valid figure is the best so far."""
        if figure > self.best_figure:
            self.best = {name: tensor.clone() for name, tensor in self.result.items()}
            self.best_figure, self.best_epoch = figure, self.epoch

    def keep(self, folder: Path, snapshot_hash: str, name: Mapping[str, Any]) -> None:
        """Write the state under a name (configuration and seed) that says whose it is."""
        groups = {"now": self.tensors, "sum": self.sums, "mean": self.mean, "best": self.best}
        arrays = {
            f"{group}/{key}": tensor.numpy()
            for group, tensors in groups.items()
            for key, tensor in tensors.items()
        }
        arrays["generator"] = self.generator.get_state().numpy()
        figures = {
            "epoch": self.epoch,
            "best_figure": self.best_figure,
            "best_epoch": self.best_epoch,
        }
        save_checkpoint(folder, arrays, {**name, **figures}, snapshot_hash, kind=_KIND)

    def take_up(
        self, folder: Path, snapshot_hash: str, name: Mapping[str, Any], *, most_epochs: int
    ) -> None:
        """Go on from a kept state, if there is one of the same name, snapshot and reach."""
        try:
            kept = load_checkpoint(folder, snapshot_hash, kind=_KIND)
        except (MissingPartError, CheckpointMismatchError):
            return
        if any(kept.metadata.get(key) != value for key, value in name.items()):
            return
        if int(kept.metadata["epoch"]) > most_epochs:
            return
        arrays = {key: torch.from_numpy(array.copy()) for key, array in kept.tensors.items()}
        self.generator.set_state(arrays.pop("generator"))
        groups: dict[str, dict[str, torch.Tensor]] = {
            name: {} for name in ("now", "sum", "mean", "best")
        }
        for key, tensor in arrays.items():
            group, _, parameter = key.partition("/")
            groups[group][parameter] = tensor
        self.tensors, self.sums = groups["now"], groups["sum"]
        self.mean, self.best = groups["mean"], groups["best"]
        self.epoch = int(kept.metadata["epoch"])
        self.best_figure = float(kept.metadata["best_figure"])
        self.best_epoch = int(kept.metadata["best_epoch"])
