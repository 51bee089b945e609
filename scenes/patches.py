"""What an image encoder sees under a region: its patch vectors pooled by the mask.

One encoding of the whole image serves all of its regions. The image's mean vector is taken away
first, so that what remains says how a region differs from its flag.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from kg.errors import InputError
from scenes import piece_loops
from scenes.model import Region

__all__ = ["PatchExpert", "pool_patches", "train_patch_expert"]

Floats = NDArray[np.float64]

_COMPONENTS = 48  # of 16 and 48, chosen on valid by log loss; so was the inverse penalty
_INVERSE_PENALTY = 0.3
_ALONE = 1 << 18
"""Multiplications up to which OpenBLAS keeps a product to one thread. Its other threads wait for
more work without letting go of their cores, which the image encoder beside them needs: pooling
took 3 ms of processor time an image, and takes half a one."""


def pool_patches(
    tokens: NDArray[np.floating], grid: tuple[int, int], regions: Sequence[Region]
) -> Floats:
    """Average patch vectors under each mask, a patch counting by the share that is covered.

    Args:
        tokens: ``(rows * columns, dimension)``, row by row.
        grid: Rows and columns.
        regions: Of one image.

    Returns:
        ``(regions, dimension)``.

    Raises:
        InputError: The tokens do not fill the grid.
    """
    if tokens.ndim != 2 or len(tokens) != grid[0] * grid[1]:
        raise InputError(f"patch vectors of shape {tokens.shape} for a grid of {grid}")
    if not regions:
        return np.empty((0, tokens.shape[1]))
    shares = _shares(regions, grid)
    pooled = np.empty((len(regions), tokens.shape[1]))
    width = max(_ALONE // max(shares.size, 1) // 16 * 16, 16)
    for start in range(0, tokens.shape[1], width):
        part = np.s_[:, start : start + width]
        vectors = tokens[part].astype(np.float64)
        vectors -= vectors.mean(axis=0)
        np.matmul(shares, vectors, out=pooled[part])
    return pooled


def _shares(regions: Sequence[Region], grid: tuple[int, int]) -> Floats:
    """Return ``(regions, rows * columns)`` how a region's pixels are shared out among patches."""
    rows, columns = (
        np.arange(side) * cells // side
        for side, cells in zip(regions[0].mask.shape, grid, strict=True)
    )
    counts = np.zeros((len(regions), grid[0] * grid[1]), dtype=np.int64)
    for region, own in zip(regions, counts, strict=True):
        box = tuple(map(int, region.box_xyxy))
        mask = np.ascontiguousarray(region.mask)
        piece_loops.covered(mask, box, rows * grid[1], columns, own)
    shares: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


@dataclass(frozen=True, slots=True)
class PatchExpert:
    """A projection and a linear classifier on pooled patch vectors.

    Attributes:
        mean: ``(dimension,)``.
        projection: ``(dimension, components)``.
        weight: ``(components, classes)``.
        bias: ``(classes,)``; classes that were not seen have a very low one.
    """

    mean: Floats
    projection: Floats
    weight: Floats
    bias: Floats

    def probabilities(self, pooled: Floats) -> Floats:
        """Return ``(regions, classes)`` of ``(regions, dimension)``.

        Raises:
            InputError: Another dimension than trained on.
        """
        if pooled.ndim != 2 or pooled.shape[1] != self.mean.size:
            raise InputError(
                f"patch vectors of {self.mean.size} numbers expected, got {pooled.shape}"
            )
        logits = (pooled - self.mean) @ self.projection @ self.weight + self.bias
        result: Floats = softmax(logits, axis=1)
        return result

    def arrays(self) -> dict[str, Floats]:
        """Return all arrays by name, for a file."""
        return {f"patches.{name}": getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats]) -> PatchExpert | None:
        """Read what `arrays` gave; None if the model has no patch expert."""
        if "patches.mean" not in arrays:
            return None
        try:
            return cls(*(arrays[f"patches.{name}"] for name in cls.__slots__))
        except KeyError as error:
            raise InputError(f"the model lacks the array {error.args[0]!r}") from error


def train_patch_expert(
    pooled: Floats, classes: NDArray[np.int64], weights: Floats, *, count: int
) -> PatchExpert:
    """Train on pooled vectors of labelled regions.

    Args:
        pooled: ``(regions, dimension)``.
        classes: ``(regions,)``.
        weights: ``(regions,)``.
        count: Number of classes.
    """
    from sklearn.decomposition import PCA  # only training waits for it
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    components = min(_COMPONENTS, pooled.shape[1], len(pooled))
    reduction = PCA(components, whiten=True, svd_solver="full").fit(pooled)
    scale = np.sqrt(np.maximum(reduction.explained_variance_, 1e-12))
    projection = (reduction.components_ / scale[:, None]).T
    bias = np.full(count, -6.0)
    weight = np.zeros((components, count))
    seen = np.unique(classes)
    if len(seen) > 1:
        model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=300)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit((pooled - reduction.mean_) @ projection, classes, sample_weight=weights)
        if len(seen) == 2:
            weight[:, seen[1]], bias[seen] = model.coef_[0], [0.0, model.intercept_[0]]
        else:
            weight[:, seen], bias[seen] = model.coef_.T, model.intercept_
    else:
        bias[seen] = 0.0
    return PatchExpert(np.asarray(reduction.mean_), projection, weight, bias)
