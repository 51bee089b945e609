"""Which surfaces of training are spelled like a given one, by TF-IDF of character n-grams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from linkers.boosted.kept import Kept
from linkers.names import latin

__all__ = ["LikeSurfaces"]

_NEAR = 0.4  # cosine of letters from which a surface is like another
_MOST = 6
_REMEMBERED = 16_384  # surfaces


class LikeSurfaces:
    """Surfaces of training, by their letters.

    Args:
        surfaces: Each once.
    """

    def __init__(self, surfaces: Sequence[str]) -> None:
        self._surfaces = surfaces
        self._kept: Kept[list[str]] = Kept(_REMEMBERED)
        self._columns: sparse.csr_matrix | None = None
        spelled = [latin(surface) for surface in surfaces]
        if any(text.strip() for text in spelled):
            from sklearn.feature_extraction.text import TfidfVectorizer  # a second to load

            self._vectorizer = TfidfVectorizer(
                analyzer="char_wb", ngram_range=(2, 4), lowercase=False, dtype=np.float32
            )
            self._columns = self._vectorizer.fit_transform(spelled).T.tocsr()

    def of(self, wanted: Sequence[str]) -> list[list[str]]:
        """Return for each surface those of training that are spelled like it, the nearest first."""
        return self._kept.of(wanted, self._found)

    def _found(self, wanted: Sequence[str]) -> list[list[str]]:
        if self._columns is None:
            return [[] for _ in wanted]
        alike = self._vectorizer.transform([latin(surface) for surface in wanted]) @ self._columns
        found = []
        for row in range(len(wanted)):
            part = slice(*alike.indptr[row : row + 2])
            places, values = alike.indices[part], alike.data[part]
            kept = np.flatnonzero(values >= _NEAR)
            order = kept[np.lexsort((places[kept], -values[kept]))[:_MOST]]
            found.append([self._surfaces[place] for place in places[order].tolist()])
        return found
