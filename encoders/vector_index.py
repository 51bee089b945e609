"""Nearest neighbours by dot product: exact up to 200,000 vectors, by faiss (optional) beyond.

Ties are broken by position, so the result never depends on how a library orders equal scores.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError, MissingPartError

__all__ = ["VectorIndex"]

_EXACT_UP_TO = 200_000
_BLOCK = 4_000_000  # scores held at a time: 16 MB


class VectorIndex:
    """Holds vectors and finds the nearest.

    Args:
        vectors: ``(n, dim)`` float32; rows of zeros are never found.
        exact_up_to: From more vectors on, faiss searches (IVF, 8 bits a dimension).

    Raises:
        InputError: The vectors are not finite or not a matrix.
        MissingPartError: So many vectors need faiss and it is not installed.

    Example:
        >>> index = VectorIndex(np.eye(3, dtype=np.float32))
        >>> index.search(np.array([[0.0, 1.0, 0.5]], dtype=np.float32), k=2)[0].tolist()
        [[1, 2]]
    """

    def __init__(self, vectors: NDArray[np.float32], *, exact_up_to: int = _EXACT_UP_TO) -> None:
        if vectors.ndim != 2 or not np.isfinite(vectors).all():
            raise InputError(f"an index needs finite vectors (n, dim), got {vectors.shape}")
        self._vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self._present = np.any(self._vectors != 0, axis=1)
        self._faiss = _trained_index(self._vectors) if len(vectors) > exact_up_to else None

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self._vectors)

    def search(
        self, queries: NDArray[np.float32], *, k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return positions and scores ``(m, k)`` of the best, best first.

        Where fewer than k are found (absent vectors, a query of zeros) positions are -1 and
        scores -inf.

        Raises:
            InputError: k is below 1 or the queries have another dimension.
        """
        if k < 1 or queries.ndim != 2 or queries.shape[1] != self._vectors.shape[1]:
            raise InputError(
                f"queries are (m, {self._vectors.shape[1]}) and k at least 1, "
                f"got {queries.shape} and {k}"
            )
        if self._faiss is not None:
            scores, found = self._faiss.search(np.ascontiguousarray(queries, np.float32), k)
            return found.astype(np.int64), np.where(found < 0, -np.inf, scores).astype(np.float32)
        positions = np.full((len(queries), k), -1, dtype=np.int64)
        best = np.full((len(queries), k), -np.inf, dtype=np.float32)
        count = min(k, len(self._vectors))
        step = max(1, _BLOCK // max(1, len(self._vectors)))
        for start in range(0, len(queries) if count else 0, step):
            part = queries[start : start + step].astype(np.float32)
            scores = part @ self._vectors.T
            scores[:, ~self._present] = -np.inf
            scores[~np.any(part != 0, axis=1)] = -np.inf
            order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
            found_scores = np.take_along_axis(scores, order, axis=1)
            rows = slice(start, start + len(part))
            best[rows, :count] = found_scores
            positions[rows, :count] = np.where(np.isneginf(found_scores), -1, order)
        return positions, best


def _trained_index(vectors: NDArray[np.float32]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # from SWIG's own types
            import faiss
    except ImportError as error:
        raise MissingPartError(
            f"{len(vectors)} vectors need an approximate index", hint="pip install faiss-cpu"
        ) from error
    cells = int(4 * np.sqrt(len(vectors)))
    coarse = faiss.IndexFlatIP(vectors.shape[1])
    index = faiss.IndexIVFScalarQuantizer(
        coarse, vectors.shape[1], cells, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    index.train(vectors[:: max(1, len(vectors) // (64 * cells))])
    index.add(vectors)
    index.nprobe = max(1, cells // 16)
    return index
