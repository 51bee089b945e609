"""The large entries of dense rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from reasoning.protocols import SparseRows

__all__ = ["largest"]


def largest(rows: NDArray[np.float32], floor: float) -> SparseRows:
    """Return the entries of dense rows above a floor, and the largest of the others."""
    keep = rows > floor
    counts = np.count_nonzero(keep, axis=1)
    places = np.flatnonzero(keep.ravel())
    indptr = np.concatenate(([0], np.cumsum(counts)))
    indices = (places % max(rows.shape[1], 1)).astype(np.int32)
    matrix = csr_matrix((rows.ravel()[places], indices, indptr), shape=rows.shape)
    return SparseRows(matrix=matrix, dropped=rows.max(axis=1, initial=0.0, where=~keep))
