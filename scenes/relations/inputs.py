"""What networks see of a pair: its geometry, its surroundings, and what was counted of its classes.

Numbers are scaled by the training images' mean and deviation; the names of the classes come as
vectors of a frozen text encoder, so that a class seen twice still resembles its like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from encoders.protocols import TextEncoder
from kg.errors import InputError
from scenes.relations.annotations import AnnotatedImage
from scenes.relations.counts import EVERY, Rows, TripletCounts, log_rates, log_shares
from scenes.relations.pairs import GEOMETRY, PairTable
from scenes.relations.surroundings import SURROUNDINGS, surroundings

__all__ = ["COLUMNS", "PairInputs", "Scale", "class_vectors", "pair_numbers", "pair_shares"]

Floats32 = NDArray[np.float32]

COLUMNS = len(GEOMETRY) + len(SURROUNDINGS) + 5
"""Numbers of a pair: geometry first, then surroundings, rates and sizes."""

_CLIP = 5.0  # deviations beyond which a number says nothing more
_NAME_PARTS = 48


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairInputs:
    """Inputs of pairs.

    Attributes:
        labels: ``(rows, 2)`` numbers of classes.
        numbers: ``(rows, COLUMNS)``, scaled.
        shares: ``(rows, 3, predicates)`` of `log_shares`.
    """

    labels: NDArray[np.int64]
    numbers: Floats32
    shares: Floats32

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """Mean and deviation of the training pairs.

    Attributes:
        mean: ``(COLUMNS,)``.
        deviation: ``(COLUMNS,)``.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, numbers: NDArray[np.float64]) -> Self:
        """Measure ``(rows, COLUMNS)``."""
        return cls(numbers.mean(axis=0), numbers.std(axis=0) + 1e-4)

    def scaled(self, numbers: NDArray[np.float64]) -> Floats32:
        """Return the numbers in deviations from the mean, cut at five."""
        parts = np.clip((numbers - self.mean) / self.deviation, -_CLIP, _CLIP)
        return parts.astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return both by name, for a file."""
        return {"scale.mean": self.mean, "scale.deviation": self.deviation}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Read what `arrays` gave.

        Raises:
            InputError: They are missing or of another number of columns.
        """
        found = [arrays.get(f"scale.{name}") for name in ("mean", "deviation")]
        if any(one is None or one.shape != (COLUMNS,) for one in found):
            raise InputError(f"the model's scale is not of {COLUMNS} numbers")
        return cls(*found)  # type: ignore[arg-type]  # none is None


def pair_numbers(
    images: Sequence[AnnotatedImage], table: PairTable, counts: TripletCounts, *, leave_out: bool
) -> NDArray[np.float64]:
    """Return the ``(rows, COLUMNS)`` numbers of pairs, not scaled.

    Args:
        images: Of the table.
        table: Their pairs.
        counts: Of the training images.
        leave_out: Whether the images were counted; see `log_shares`.
    """
    rates, sizes = log_rates(counts, table, leave_out=leave_out)
    return np.concatenate([table.geometry, surroundings(images), rates, sizes], axis=1)


def pair_shares(
    table: PairTable, counts: TripletCounts, *, rows: Rows = EVERY, leave_out: bool = False
) -> Floats32:
    """Return `log_shares` as the networks take them."""
    return log_shares(counts, table, rows=rows, leave_out=leave_out).astype(np.float32)


def class_vectors(encoder: TextEncoder, names: Sequence[str]) -> Floats32:
    """Return ``(names, 48)`` vectors of names: the main directions in which these names differ.

    Args:
        encoder: Of texts.
        names: Of classes; fewer names than directions leave zeros.
    """
    vectors = encoder.encode(list(names)).pooled.astype(np.float64)
    left, sizes, _ = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    parts = (left * sizes)[:, :_NAME_PARTS]
    found = np.zeros((len(names), _NAME_PARTS), dtype=np.float32)
    found[:, : parts.shape[1]] = parts / max(float(parts.std()), 1e-6)
    return found
