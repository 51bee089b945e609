"""Names by TF-IDF of their character n-grams, many surfaces and many names at a time.

Weights are fixed when the index is made: names that are added later are weighed by them, and
n-grams that no name held then do not count.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from linkers.boosted.name_list import NameList, top

__all__ = ["LetterIndex", "Weighted"]

_SIZES = (2, 4)
_CELLS = 12_000_000  # similarities held at a time: 48 MB; 8 MB at a time left holes in the heap

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
Weighted = tuple[NDArray[np.int32], Floats]
"""N-grams of one text, ascending, and their weights."""


class LetterIndex:
    """N-grams of names.

    Args:
        names: The names, and whose they are.
        spellings: Each of `names` in Latin letters.
    """

    def __init__(self, names: NameList, spellings: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer  # a second to load

        self._names = names
        self._vectorizer = TfidfVectorizer(
            analyzer="char_wb", ngram_range=_SIZES, lowercase=False, dtype=np.float32
        )
        self._rows = self._sorted(self._vectorizer.fit_transform(spellings))
        self._columns = [self._rows.T.tocsr()]

    def add(self, spellings: Sequence[str]) -> None:
        """Append the names that were added to `names`."""
        rows = self.encode(spellings)
        self._rows = sparse.vstack([self._rows, rows], format="csr")
        self._columns.append(rows.T.tocsr())

    def encode(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Return ``(texts, n-grams)`` weights of texts in Latin letters."""
        return self._sorted(self._vectorizer.transform(texts))

    @staticmethod
    def apart(encoded: sparse.csr_matrix) -> list[Weighted]:
        """Return the rows of what `encode` gave, one by one, as parts of its arrays."""
        ends = encoded.indptr.tolist()
        return [
            (encoded.indices[start:end], encoded.data[start:end])
            for start, end in itertools.pairwise(ends)
        ]

    def together(self, rows: Sequence[Weighted]) -> sparse.csr_matrix:
        """Return what `encode` would give for texts whose rows are known."""
        starts = np.cumsum([0, *(len(pieces) for pieces, _ in rows)])
        pieces = np.concatenate([np.zeros(0, np.int32), *(pieces for pieces, _ in rows)])
        weights = np.concatenate([np.zeros(0, np.float32), *(weights for _, weights in rows)])
        shape = (len(rows), self._rows.shape[1])
        found = sparse.csr_matrix((weights, pieces, starts), shape=shape)
        found.has_sorted_indices = True
        return found

    @staticmethod
    def _sorted(rows: sparse.csr_matrix) -> sparse.csr_matrix:
        rows.sort_indices()
        return rows

    def similarities(self, encoded: sparse.csr_matrix) -> Floats:
        """Return ``(n, N)`` cosines with the best name of each entity."""
        parts = [(encoded @ columns).toarray() for columns in self._columns]
        return self._names.best(parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1))

    def nearest(self, encoded: sparse.csr_matrix, count: int) -> list[Ids]:
        """Return for each text the ids of the entities that are most alike, best first."""
        step = max(1, _CELLS // max(1, len(self._names.flat)))
        return [
            row
            for start in range(0, encoded.shape[0], step)
            for row in top(self.similarities(encoded[start : start + step]), count)
        ]

    def of_names(self, encoded: sparse.csr_matrix, rows: Ids, names: Ids) -> Floats:
        """Return ``(pairs,)`` cosines of texts and names."""
        shared = encoded[rows].multiply(self._rows[names])
        return np.asarray(shared.sum(axis=1), dtype=np.float32).ravel()
