"""The files of a scene model: numbers in safetensors, settings in JSON, no code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from kg.errors import ForeignFileError, MissingPartError
from kg.files import atomic_write, read_json, write_json
from scenes.lexicon import LABELS
from scenes.phrasing import DESCRIBED_PREDICATES

__all__ = ["FORMAT", "read_model", "version_of", "write_model"]

FORMAT = 1
_KIND = "scene model"
_SETTINGS, _ARRAYS = "scenes.json", "scenes.safetensors"
_MOST_BYTES = 256 * 2**20

Arrays = Mapping[str, NDArray[np.float64]]


def version_of(arrays: Arrays, settings: Mapping[str, Any]) -> str:
    """Return a name for numbers and settings: ``scenes-`` and 12 digits of their hash."""
    words = [settings["config"], settings["encoder"], LABELS, DESCRIBED_PREDICATES]
    digest = hashlib.sha256(json.dumps(words, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array, dtype=np.float64).tobytes())
    return f"scenes-{digest.hexdigest()[:12]}"


def write_model(folder: Path, arrays: Arrays, settings: Mapping[str, Any]) -> None:
    """Write both files; each replaces an older one as a whole, the settings last."""
    plain = {name: np.ascontiguousarray(a, dtype=np.float64) for name, a in arrays.items()}
    with atomic_write(folder / _ARRAYS) as file:
        file.write(save(plain))
    head = {"format": FORMAT, "kind": _KIND, "version": version_of(arrays, settings)}
    write_json(
        folder / _SETTINGS,
        head | {"labels": LABELS, "predicates": DESCRIBED_PREDICATES} | dict(settings),
    )


def read_model(folder: Path) -> tuple[dict[str, NDArray[np.float64]], dict[str, Any]]:
    """Read both files.

    Raises:
        MissingPartError: There is no model.
        ForeignFileError: The files are something else, or do not belong together.
        FormatVersionError: Of another format.
    """
    if not (folder / _SETTINGS).exists():
        raise MissingPartError(
            "no scene model", where=str(folder), hint="train one with `umbra scenes run`"
        )
    settings = read_json(folder / _SETTINGS, kind=_KIND, formats=(FORMAT,))
    try:
        if (folder / _ARRAYS).stat().st_size > _MOST_BYTES:
            raise ForeignFileError("a scene model is never that large", where=str(folder))
        arrays = load((folder / _ARRAYS).read_bytes())
        same = settings["version"] == version_of(arrays, settings)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ForeignFileError(
            "not a whole scene model", where=str(folder), hint="train it again"
        ) from error
    if not same:
        raise ForeignFileError(
            "the two files of the scene model do not belong together",
            where=str(folder),
            hint="train it again",
        )
    return arrays, settings
