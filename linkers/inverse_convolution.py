"""Vectors of an index pushed away from what stands around them, so that none is near to all.

InvGC and LocalAdj (Jian and Wang, "InvGC: Robust Cross-Modal Retrieval by Inverse Graph
Convolution", EMNLP 2023). With X the vectors of an index, R those of M references (training
mentions, or training entities), W = X Rᵀ and w̄ the mean of W:

    InvGC:     X' = unit(X - (r / M) (W - w̄) R)
    LocalAdj:  X' = unit(X - (r / k) W_k R),   W_k keeps the k largest of each row

With several sets of references X' is the unit of the mean of what each gives. Mentions stay as they
are, so that a search costs what it did. Where we differ from the public code: a reference never
pushes its own entity (M counts the others); k is at least 1; and (W - w̄) R is
``X (RᵀR) - w̄ ΣR``, so that no ``(N, M)`` matrix is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.padding import unit
from kg.errors import InputError, SettingError

__all__ = ["References", "inverse_convolution"]

_BLOCK = 2_048  # rows of the index whose similarities are held, where neighbours are looked for

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class References:
    """What pushes.

    Attributes:
        vectors: ``(M, dim)`` of unit length.
        owners: ``(M,)`` the row of the index that each belongs to, -1 for none.
        rate: r, not negative; searched on valid.

    Raises:
        InputError: There is none, or shapes differ.
        SettingError: The rate is negative.
    """

    vectors: Floats
    owners: Ids
    rate: float

    def __post_init__(self) -> None:
        """Check shapes and rate."""
        if not len(self.vectors) or len(self.vectors) != len(self.owners):
            raise InputError(f"{len(self.vectors)} references with {len(self.owners)} owners")
        if not 0 <= self.rate < float("inf"):
            raise SettingError(f"must not be negative, got {self.rate}", where="rate")


def inverse_convolution(
    index: Floats, references: Sequence[References], *, share: float | None = None
) -> Floats:
    """Return ``(N, dim)`` vectors to search instead.

    Args:
        index: ``(N, dim)`` of unit length.
        references: One or several sets.
        share: Of the references, the nearest, that push each row (LocalAdj), in (0, 1]; None has
            all of them push, by how much nearer they are than the mean (InvGC).

    Raises:
        InputError: There is no reference.
        SettingError: The share is out of range.

    Example:
        >>> index = unit(np.array([[1.0, 0.2], [0.2, 1.0]], dtype=np.float32))
        >>> hub = References(vectors=index[:1], owners=np.array([-1]), rate=0.5)
        >>> moved = inverse_convolution(index, [hub], share=1.0)
        >>> bool(moved[1] @ index[0] < index[1] @ index[0])
        True
    """
    if not references:
        raise InputError("there are no references")
    if share is not None and not 0 < share <= 1:
        raise SettingError(f"must lie in (0, 1], got {share}", where="share")
    moved = [unit((index - _pushed(index, one, share)).astype(np.float32)) for one in references]
    return moved[0] if len(moved) == 1 else unit(np.mean(moved, axis=0, dtype=np.float32))


def _pushed(index: Floats, one: References, share: float | None) -> NDArray[np.float64]:
    push = _by_all(index, one) if share is None else _by_nearest(index, one, share)
    return one.rate * push


def _by_all(index: Floats, one: References) -> NDArray[np.float64]:
    """Return ``(N, dim)`` (W - w̄) R / M, each row's own references left out."""
    rows, others = index.astype(np.float64), one.vectors.astype(np.float64)
    owned = np.flatnonzero(one.owners >= 0)
    owners = one.owners[owned]
    own = (rows[owners] * others[owned]).sum(axis=1)  # W of each reference and its own row
    pairs = len(rows) * len(others) - len(owned)
    mean = (float((rows @ others.sum(axis=0)).sum()) - float(own.sum())) / max(1, pairs)
    push = rows @ (others.T @ others) - mean * others.sum(axis=0)
    np.subtract.at(push, owners, (own - mean)[:, None] * others[owned])
    number = len(others) - np.bincount(owners, minlength=len(rows))
    return np.asarray(push / np.maximum(number, 1)[:, None])


def _by_nearest(index: Floats, one: References, share: float) -> NDArray[np.float64]:
    """Return ``(N, dim)`` W_k R / k, each row's own references left out."""
    count = max(1, int(share * len(one.vectors)))
    push = np.zeros(index.shape, dtype=np.float64)
    for start in range(0, len(index), _BLOCK):
        part = index[start : start + _BLOCK]
        near = part @ one.vectors.T
        own = np.flatnonzero((one.owners >= start) & (one.owners < start + len(part)))
        near[one.owners[own] - start, own] = -np.inf
        best = np.argpartition(-near, min(count, near.shape[1] - 1), axis=1)[:, :count]
        weights = np.take_along_axis(near, best, axis=1)
        weights = np.where(np.isfinite(weights), weights, 0.0)
        push[start : start + len(part)] = (
            np.einsum("nk,nkd->nd", weights, one.vectors[best]) / count
        )
    return push
