"""How alike each of many mentions is to every entity, from several sides, by matrix products.

Letters (TF-IDF of n-grams), words (weighted by rareness; of the mention, and of the whole text),
and vectors of an encoder (of the mention, and of the text). Callers keep blocks of mentions small:
a block is a few dense arrays ``(n, N)``. Each row depends on its mention alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from kg.progress import Progress, silent
from linkers.boosted.entity_table import EntityTable, cleaned, marks_of
from linkers.boosted.texts import PooledTexts
from linkers.boosted.words import WordIndex, word_set
from linkers.evidence import window
from linkers.model import Mention
from linkers.names import latin, normalised

__all__ = ["Looks", "NameIndex", "NameList", "top"]

_ENCODED = 4  # names of an entity that are encoded
_SIZES = (2, 4)

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


class NameList:
    """Names of entities one after the other: first the first name of each, then the second ones.

    Args:
        names: Names of each entity, at least one.
    """

    def __init__(self, names: Sequence[Sequence[str]]) -> None:
        self.flat: list[str] = []
        owners: list[int] = []
        self._levels: list[tuple[int, int]] = []
        for level in range(max(map(len, names))):
            start = len(self.flat)
            for owner, group in enumerate(names):
                if level < len(group):
                    self.flat.append(group[level])
                    owners.append(owner)
            self._levels.append((start, len(self.flat)))
        self.owners = np.array(owners, dtype=np.int64)
        self._size = len(names)
        self._order = np.argsort(self.owners, kind="stable")
        self._starts = np.searchsorted(self.owners[self._order], np.arange(len(names) + 1))

    def best(self, values: Floats) -> Floats:
        """Return ``(n, N)``: the best of each entity's names, of ``(n, F)`` values of names."""
        found = values[:, : self._size]
        if len(self._levels) > 1:
            found = found.copy()
        for start, end in self._levels[1:]:
            owners = self.owners[start:end]
            found[:, owners] = np.maximum(found[:, owners], values[:, start:end])
        return found

    def of(self, ids: Ids) -> tuple[Ids, Ids]:
        """Return the names of entities, and where each one's begin among them."""
        counts = self._starts[ids + 1] - self._starts[ids]
        starts = np.cumsum(counts) - counts
        places = np.arange(int(counts.sum())) - np.repeat(starts, counts)
        return self._order[np.repeat(self._starts[ids], counts) + places], starts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looks:
    """Similarities of a block of mentions with all entities.

    Attributes:
        letters: ``(n, N)`` cosine of character n-grams, best name.
        named: ``(n, N)`` cosine of the vectors of mention and name.
        told: ``(n, N)`` cosine of the vectors of text and name (and description).
        own: ``(n, F)`` sparse: weight of the words that mention and name share.
        every: ``(n, F)`` sparse: the same of mention and text together.
        mass: ``(n,)`` weight of the mention's words.
    """

    letters: Floats
    named: Floats
    told: Floats
    own: sparse.csr_matrix
    every: sparse.csr_matrix
    mass: Floats


class NameIndex:
    """Indexes of the names of a table.

    Args:
        table: The entities.
        texts: Encodes names, surfaces and texts.
        progress: Told names encoded.
    """

    def __init__(
        self, table: EntityTable, texts: PooledTexts, *, progress: Progress = silent
    ) -> None:
        self.table = table
        self.texts = texts
        self.spelled = NameList(table.spelled)
        self.words = WordIndex(self.spelled.flat)
        self._vectorizer = TfidfVectorizer(
            analyzer="char_wb", ngram_range=_SIZES, lowercase=False, dtype=np.float32
        )
        spellings = [latin(name) for name in self.spelled.flat]
        self.compared = [latin(normalised(name)) for name in self.spelled.flat]
        """What letters of a mention are compared with, for each of `spelled`."""
        self.marks = [marks_of(names[0]) for names in table.names]
        self._letters = self._vectorizer.fit_transform(spellings).T.tocsr()
        self._read = NameList([names[:_ENCODED] for names in table.names])
        self.vectors = texts.matrix(self._read.flat, progress=progress)
        self._notes = texts.matrix(list(table.notes)) if any(table.notes) else None

    def prepare(self, mentions: Sequence[Mention], *, progress: Progress = silent) -> None:
        """Encode what mentions need."""
        needed = [text for m in mentions for text in (m.surface, window(m))]
        self.texts.add(needed, progress=progress)

    def surfaces(self, mentions: Sequence[Mention]) -> Floats:
        """Return ``(n, dim)`` vectors of the mentions' words."""
        return self.texts.matrix([m.surface for m in mentions])

    def contexts(self, mentions: Sequence[Mention]) -> Floats:
        """Return ``(n, dim)`` vectors of the texts around mentions."""
        return self.texts.matrix([window(m) for m in mentions])

    def look(self, mentions: Sequence[Mention]) -> Looks:
        """Return the similarities of a block of mentions."""
        spelled = self._vectorizer.transform([latin(m.surface) for m in mentions])
        own = [word_set(cleaned(m.surface)) for m in mentions]
        every = [words | word_set(m.context) for words, m in zip(own, mentions, strict=True)]
        said = self.contexts(mentions)
        told = self._read.best(said @ self.vectors.T)
        if self._notes is not None:
            told = np.maximum(told, said @ self._notes.T)
        letters = (spelled @ self._letters).toarray()
        return Looks(
            letters=self.spelled.best(letters),
            named=self._read.best(self.surfaces(mentions) @ self.vectors.T),
            told=told,
            own=self._shared(own),
            every=self._shared(every),
            mass=np.array([self.words.mass_of(words) for words in own], dtype=np.float32),
        )

    def _shared(self, sets: Sequence[frozenset[str]]) -> sparse.csr_matrix:
        found = self.words.weighted(sets) @ self.words.names_by_word
        found.sort_indices()
        return found

    def top_by_words(self, looks: Looks, count: int) -> list[Ids]:
        """Return for each mention entities whose names share most words with it and its text."""
        found = []
        for row in range(looks.every.shape[0]):
            part = slice(*looks.every.indptr[row : row + 2])
            names, weights = looks.every.indices[part], looks.every.data[part]
            scores = weights / self.words.mass[names]
            mine = slice(*looks.own.indptr[row : row + 2])
            places = np.searchsorted(names, looks.own.indices[mine])
            scores[places] += looks.own.data[mine] / max(float(looks.mass[row]), 1e-6)
            best = np.lexsort((names, -scores))[:count]
            found.append(self.spelled.owners[names[best]])
        return found

    def word_shares(self, looks: Looks, rows: Ids, ids: Ids) -> Floats:
        """Return ``(pairs, 4)`` of pairs of a mention and an entity, best name each.

        Share of the mention's words that the name holds; share of the name's that the mention
        holds; share that mention and text hold; weight of what of the name the text holds alone.
        """
        names, starts = self.spelled.of(ids)
        counts = np.diff(np.append(starts, len(names)))
        where = np.repeat(rows, counts)
        own = np.asarray(looks.own[where, names], dtype=np.float32).ravel()
        every = np.asarray(looks.every[where, names], dtype=np.float32).ravel()
        mass = np.maximum(self.words.mass[names], 1e-6)
        values = np.stack(
            [own / np.maximum(looks.mass[where], 1e-6), own / mass, every / mass, every - own], 1
        )
        return np.asarray(np.maximum.reduceat(values, starts, axis=0), dtype=np.float32)


def top(values: Floats, count: int) -> Ids:
    """Return ``(n, count)`` columns of the highest values, best first; ties by the lower column."""
    count = min(count, values.shape[1])
    best = torch.topk(torch.from_numpy(np.ascontiguousarray(values)), count, dim=1, sorted=False)
    some = np.sort(best.indices.numpy(), axis=1)
    order = np.argsort(-np.take_along_axis(values, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)
