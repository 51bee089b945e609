"""A trained linker on disk: weights as safetensors, everything else as JSON; no pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from kg.errors import ForeignFileError, InputError, MissingPartError
from kg.files import atomic_write, read_json, sha256_of_file, write_json
from linkers.config import LinkerConfig
from linkers.decision import Decision
from linkers.distillation import Student
from linkers.foreign_words import ForeignWords
from linkers.matching import MatchingConfig
from linkers.networks import matching_network
from linkers.priors import Priors
from linkers.scoring import ALL_SIGNALS
from linkers.trained import Trained

__all__ = ["FORMAT", "load_trained", "save_trained"]

_Array = NDArray[np.float32]

FORMAT = 1
_WEIGHTS = "linker.safetensors"
_DESCRIPTION = "linker.json"
_BROKEN = (KeyError, TypeError, AttributeError, RuntimeError, SafetensorError, InputError)


def save_trained(trained: Trained, folder: Path) -> None:
    """Write a trained linker; the description comes last and names the weights by hash."""
    arrays = {
        f"network.{name}": np.ascontiguousarray(value.numpy())
        for name, value in trained.network.state_dict().items()
    }
    arrays |= {
        f"decision.{name}": np.ascontiguousarray(value, dtype=np.float32)
        for name, value in trained.decision.arrays.items()
    }
    if trained.student is not None:
        arrays |= {
            f"student.{name}": np.ascontiguousarray(value.numpy())
            for name, value in trained.student.state_dict().items()
        }
    if trained.foreign is not None:
        arrays |= {
            f"foreign.{name}": np.ascontiguousarray(value)
            for name, value in trained.foreign.arrays().items()
        }
    with atomic_write(folder / _WEIGHTS) as file:
        file.write(save(arrays))
    shape = trained.network.config
    write_json(
        folder / _DESCRIPTION,
        {
            "format": FORMAT,
            "config": trained.config.to_json(),
            "encoders": trained.encoders,
            "text_dimension": shape.text_dimension,
            "image_dimension": shape.image_dimension,
            "signals": list(ALL_SIGNALS),
            "priors": trained.priors.to_json(),
            "weights_sha256": sha256_of_file(folder / _WEIGHTS),
        },
    )


def load_trained(folder: Path) -> Trained:
    """Read what `save_trained` wrote.

    Raises:
        MissingPartError: Nothing was saved there.
        ForeignFileError: Something else lies there, or the weights belong to another training.
        FormatVersionError: It is of another format.
    """
    description, weights = folder / _DESCRIPTION, folder / _WEIGHTS
    if not description.exists() or not weights.exists():
        raise MissingPartError(
            "there is no trained linker", hint=f"train one first; looked in {folder}"
        )
    values = read_json(description, kind="trained linker", formats=(FORMAT,))
    try:
        return _read(values, weights)
    except _BROKEN as error:
        raise ForeignFileError(
            f"not a trained linker ({type(error).__name__}: {error})",
            where=str(folder),
            hint="train it again",
        ) from error


def _read(values: dict[str, Any], weights: Path) -> Trained:
    if values["weights_sha256"] != sha256_of_file(weights):
        raise ForeignFileError("weights of another training", where=str(weights))
    if values["signals"] != list(ALL_SIGNALS):
        raise ForeignFileError("signals of another version", where=str(weights))
    arrays = load(weights.read_bytes())
    config = LinkerConfig.from_json(values["config"])
    shape: MatchingConfig = config.network(
        text_dimension=values["text_dimension"], image_dimension=values["image_dimension"]
    )
    network = matching_network(shape, generator=torch.Generator().manual_seed(0))
    network.load_state_dict(_tensors(arrays, "network."))
    student = None
    if config.student:
        weights_of = _tensors(arrays, "student.")
        sizes = (shape.text_dimension, shape.image_dimension)
        dimension = len(weights_of["towers.mention text"])
        student = Student(*sizes, dimension, generator=torch.Generator().manual_seed(0))
        student.load_state_dict(weights_of)
        student.eval()
    foreign = None
    if config.foreign_words:
        foreign = ForeignWords.read(_part(arrays, "foreign."), dimension=shape.text_dimension)
    decision = Decision(_part(arrays, "decision."))
    return Trained(
        config=config,
        network=network.eval(),
        decision=decision,
        priors=Priors(values["priors"]),
        encoders=values["encoders"],
        student=student,
        foreign=foreign,
    )


def _part(arrays: Mapping[str, _Array], mark: str) -> dict[str, _Array]:
    return {
        name.removeprefix(mark): value for name, value in arrays.items() if name.startswith(mark)
    }


def _tensors(arrays: Mapping[str, _Array], mark: str) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(value) for name, value in _part(arrays, mark).items()}
