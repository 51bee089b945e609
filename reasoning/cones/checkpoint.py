"""Keeping cone models: finished ones, and the state of a training run between epochs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kg.errors import EngineError, ForeignFileError, SettingError
from kg.snapshot import Snapshot
from reasoning.checkpoint import HEAD, Checkpoint, load_checkpoint, save_checkpoint
from reasoning.cones.cone import GeometryConfig
from reasoning.cones.model import ConeModel, ConeModelConfig
from reasoning.cones.part_encoder import PartEncoderConfig
from reasoning.cones.parts import PartTable

__all__ = [
    "TrainingState",
    "load_cones",
    "load_state",
    "model_config_from",
    "remove_state",
    "save_cones",
    "save_state",
]

KIND = "cone"
STATE_KIND = "cone-training"

Arrays = dict[str, NDArray[Any]]


def save_cones(model: ConeModel, folder: Path, snapshot: Snapshot) -> str:
    """Write a model, bound to the snapshot that it was trained on.

    Args:
        model: Trained.
        folder: Made if missing; an earlier model in it is replaced.
        snapshot: What it was trained on.

    Returns:
        Hex SHA-256 of its tensors.
    """
    tensors = _arrays(model.state_dict(), "model.")
    if model.table is not None:
        tensors |= {f"table.{f.name}": getattr(model.table, f.name) for f in fields(PartTable)}
    metadata = {
        "config": asdict(model.config),
        "num_entities": model.num_entities,
        "num_relations": model.num_relations,
        "with_parts": model.table is not None,
    }
    return save_checkpoint(folder, tensors, metadata, snapshot.hash, kind=KIND)


def load_cones(folder: Path, snapshot: Snapshot) -> ConeModel:
    """Read a model that `save_cones` wrote; in evaluation mode.

    Raises:
        MissingPartError: The folder holds none.
        CheckpointMismatchError: It was trained on another snapshot.
        ForeignFileError: A file is not what it should be.
        FormatVersionError: It has another format number.
    """
    found = load_checkpoint(folder, snapshot.hash, kind=KIND)
    try:
        config = model_config_from(found.metadata["config"])
        table = _table(found.tensors) if found.metadata["with_parts"] else None
        with torch.random.fork_rng(devices=[]):
            model = ConeModel(
                found.metadata["num_entities"],
                found.metadata["num_relations"],
                config,
                table=table,
            )
        model.load_state_dict(_tensors(found.tensors, "model."))
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise ForeignFileError(
            "the tensors of a cone model do not fit its configuration",
            where=str(folder),
            hint="run `umbra train`",
        ) from error
    return model.eval()


def model_config_from(values: Mapping[str, Any]) -> ConeModelConfig:
    """Return the configuration that ``asdict`` was made of.

    Raises:
        SettingError: A key is unknown.
    """
    given = dict(values)
    try:
        given["shape"] = GeometryConfig(**given["shape"])
        given["parts"] = PartEncoderConfig(**given["parts"])
        return ConeModelConfig(**given)
    except (KeyError, TypeError) as error:
        raise SettingError(f"not the configuration of a cone model: {error}") from error


@dataclass(slots=True, kw_only=True)
class TrainingState:
    """Where a training run stands after an epoch.

    Attributes:
        epoch: Epochs done.
        best_epoch: The best of them, from 1.
        best_score: Its figure on validation.
        best: Its parameters.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_score: float = -1.0
    best: dict[str, Tensor] | None = None


def save_state(
    folder: Path,
    state: TrainingState,
    model: ConeModel,
    optimiser: torch.optim.Optimizer,
    key: tuple[str, str],
) -> None:
    """Write the state of a run, atomically.

    Args:
        folder: Made if missing.
        state: Where it stands.
        model: Current parameters.
        optimiser: Adam, with its moments.
        key: Hash of the snapshot, and what else must agree to take the run up again.
    """
    tensors = _arrays(model.state_dict(), "model.") | _arrays(state.best or {}, "best.")
    for number, moments in optimiser.state_dict()["state"].items():
        tensors |= _arrays(moments, f"adam.{number}.")
    metadata = {
        "run": key[1],
        "epoch": state.epoch,
        "best_epoch": state.best_epoch,
        "best_score": state.best_score,
    }
    save_checkpoint(folder, tensors, metadata, key[0], kind=STATE_KIND)


def load_state(
    folder: Path, model: ConeModel, optimiser: torch.optim.Optimizer, key: tuple[str, str]
) -> TrainingState:
    """Take a run up where it stood; a fresh state where the folder holds no such run."""
    try:
        found = load_checkpoint(folder, key[0], kind=STATE_KIND)
    except EngineError:
        return TrainingState()  # another run's, another format's, or none: begin anew
    if found.metadata.get("run") != key[1]:
        return TrainingState()
    model.load_state_dict(_tensors(found.tensors, "model."))
    _restore(optimiser, found)
    best = _tensors(found.tensors, "best.")
    return TrainingState(
        epoch=int(found.metadata["epoch"]),
        best_epoch=int(found.metadata["best_epoch"]),
        best_score=float(found.metadata["best_score"]),
        best=best or None,
    )


def _restore(optimiser: torch.optim.Optimizer, found: Checkpoint) -> None:
    whole = optimiser.state_dict()
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _tensors(found.tensors, "adam.").items():
        number, _, part = name.partition(".")
        moments.setdefault(int(number), {})[part] = tensor
    optimiser.load_state_dict({"state": moments, "param_groups": whole["param_groups"]})


def remove_state(folder: Path) -> None:
    """Delete the state of a finished run; nothing else in the folder."""
    if not (folder / HEAD).exists():
        return
    (folder / HEAD).unlink()
    for path in folder.glob("tensors-*.safetensors"):
        path.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        shutil.rmtree(folder)


def _arrays(tensors: Mapping[str, Tensor], prefix: str) -> Arrays:
    return {f"{prefix}{name}": tensor.detach().cpu().numpy() for name, tensor in tensors.items()}


def _tensors(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): torch.from_numpy(np.array(array))
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _table(arrays: Mapping[str, NDArray[Any]]) -> PartTable:
    return PartTable(**{f.name: np.array(arrays[f"table.{f.name}"]) for f in fields(PartTable)})
