"""An image encoder of directions of outlines and of colours: a millisecond a drawing, no network.

For benches that train many networks on drawings: DINOv2 takes fifty times as long.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from encoders.padding import padded, unit
from encoders.protocols import Vectors
from kg.files import atomic_write
from linkers.visual.descriptors import describe

__all__ = ["OutlineEncoder"]

_SIDE = 7  # blocks of outlines, row by row
_CELLS = 4  # parts of a picture: 4 x 4, each of 2 x 2 blocks (less at the edge)

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


class OutlineEncoder:
    """Outlines and colours on the main axes of some drawings.

    A patch is what the outlines of one sixteenth of the picture give to the whole.

    Args:
        mean: ``(size,)`` of the descriptors.
        axes: ``(size, dimension)``.
    """

    def __init__(self, mean: Floats, axes: Floats) -> None:
        self._mean, self._axes = mean, axes

    @classmethod
    def fitted(cls, pictures: Sequence[Pixels], dimension: int = 192) -> Self:
        """Return the encoder of the axes along which some drawings differ most."""
        values = _described(pictures)
        mean = values.mean(axis=0)
        _, _, rows = np.linalg.svd(values - mean, full_matrices=False)
        return cls(mean, np.ascontiguousarray(rows[:dimension].T))

    @classmethod
    def kept(cls, file: Path, pictures: Callable[[], Sequence[Pixels]]) -> Self:
        """Return the encoder that a file keeps; it is fitted if there is none."""
        if not file.exists():
            fitted = cls.fitted(pictures())
            file.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(file) as out:
                np.savez(out, mean=fitted._mean, axes=fitted._axes)  # noqa: SLF001 - its own class
        with np.load(file, allow_pickle=False) as arrays:
            return cls(arrays["mean"], arrays["axes"])

    @property
    def dimension(self) -> int:
        """Size of a vector."""
        return self._axes.shape[1]

    @property
    def fingerprint(self) -> str:
        """Names the axes."""
        return f"outlines-{hashlib.sha256(self._axes.tobytes()).hexdigest()[:12]}"

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the parts."""
        return (_CELLS, _CELLS)

    def encode(self, images: Sequence[Pixels]) -> Vectors:
        """Encode pictures of any size."""
        values = _described(images)
        blocks = values[:, : self._outlines].reshape(len(values), _SIDE, _SIDE, -1)
        axes = self._axes[: self._outlines].reshape(_SIDE, _SIDE, -1, self.dimension)
        by_block = np.einsum("nrcs,rcsd->nrcd", blocks, axes, optimize=True)
        edges = range(0, _SIDE, 2)
        parts = np.add.reduceat(np.add.reduceat(by_block, edges, axis=1), edges, axis=2)
        whole = (values - self._mean) @ self._axes
        return padded(
            list(whole), list(parts.reshape(len(values), -1, self.dimension)), self.dimension
        )

    @property
    def _outlines(self) -> int:
        return _described([np.zeros((8, 8, 3), dtype=np.uint8)], colours=False).shape[1]


def _described(pictures: Sequence[Pixels], *, colours: bool = True) -> Floats:
    looks = describe(pictures)
    kinds = ("outlines", "colours") if colours else ("outlines",)
    return np.concatenate([unit(looks[kind]) for kind in kinds], axis=1)
