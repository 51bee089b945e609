"""Trained parts on disk: arrays as safetensors, and a JSON that describes them, with their hash.

The description is written last, so that arrays of another training are noticed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from kg.errors import ForeignFileError, InputError, MissingPartError
from kg.files import atomic_write, read_json, sha256_of_file, write_json

__all__ = ["Arrays", "DescribedArrays"]

Arrays = dict[str, NDArray[Any]]

_BROKEN = (KeyError, TypeError, ValueError, AttributeError, SafetensorError, InputError)
_HASH = "arrays_sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedArrays:
    """Where trained parts of a kind lie in a folder.

    Attributes:
        kind: What they are, for errors.
        stem: Name of the two files without their endings.
        format: Number of the format.
    """

    kind: str
    stem: str
    format: int

    def description(self, folder: Path) -> Path:
        """Return the path of the JSON."""
        return folder / f"{self.stem}.json"

    def arrays(self, folder: Path) -> Path:
        """Return the path of the arrays."""
        return folder / f"{self.stem}.safetensors"

    def write(self, folder: Path, values: Mapping[str, Any], arrays: Arrays) -> None:
        """Write both files, each atomically; the folder is made if missing."""
        with atomic_write(self.arrays(folder)) as file:
            file.write(save({name: np.ascontiguousarray(one) for name, one in arrays.items()}))
        held = sha256_of_file(self.arrays(folder))
        write_json(self.description(folder), {"format": self.format, **values, _HASH: held})

    def read(self, folder: Path) -> dict[str, Any]:
        """Return the description of arrays that belong to it.

        Raises:
            MissingPartError: Nothing was saved there.
            ForeignFileError: Something else lies there, or the arrays are of another training.
            FormatVersionError: It is of another format.
        """
        description, arrays = self.description(folder), self.arrays(folder)
        if not description.exists() or not arrays.exists():
            raise MissingPartError(
                f"there is no {self.kind}", hint=f"train and save one first; looked in {folder}"
            )
        values = read_json(description, kind=self.kind, formats=(self.format,))
        if values.get(_HASH) != sha256_of_file(arrays):
            raise ForeignFileError("arrays of another training", where=str(arrays))
        return values

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Arrays]:
        """Give the arrays; what then proves broken is told as a foreign file.

        Raises:
            ForeignFileError: The arrays, or what is made of them within, are not of this kind.
        """
        try:
            yield load(self.arrays(folder).read_bytes())
        except _BROKEN as error:
            raise ForeignFileError(
                f"not a {self.kind} ({type(error).__name__}: {error})",
                where=str(folder),
                hint="train it again",
            ) from error
