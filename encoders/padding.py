"""Token vectors of different lengths as one array with a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.protocols import Vectors

__all__ = ["padded", "unit"]


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors ``(..., dim)`` at unit length; a zero vector stays zero.

    Example:
        >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)).tolist()
        [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)


def padded(
    pooled: Sequence[NDArray[np.float32]],
    tokens: Sequence[NDArray[np.floating[Any]]],
    dimension: int,
) -> Vectors:
    """Return `Vectors` of items with ``(dim,)`` pooled and ``(length_i, dim)`` token vectors."""
    count = len(pooled)
    length = max((len(value) for value in tokens), default=0)
    result = np.zeros((count, length, dimension), dtype=np.float16)
    mask = np.zeros((count, length), dtype=np.bool_)
    for index, value in enumerate(tokens):
        result[index, : len(value)] = value
        mask[index, : len(value)] = True
    stacked = np.stack(pooled) if count else np.zeros((0, dimension), dtype=np.float32)
    return Vectors(pooled=unit(stacked.astype(np.float32)), tokens=result, mask=mask)
